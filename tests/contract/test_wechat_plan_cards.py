"""Cards to WeChat's articles: one a message, and nothing of them lost."""

from typing import Any

import pytest

from schemas.outbound import Button, Card, CardContent, Part
from tests.contract.wechat_kit import part
from tests.contract.wechat_planning import LINK, PICTURE, SITE, YES, bodies, changes, menu, said


def card(*cards: Card, **more: Any) -> Part:
    return part(CardContent(cards=cards, alt_text="Alt"), **more)


def article(**members: str) -> dict[str, Any]:
    return {"msgtype": "news", "news": {"articles": [members]}}


def test_a_card_with_a_link_is_an_article_that_opens_it() -> None:
    shown = card(Card(title="T", text="D", image_url=PICTURE, buttons=(SITE,)))
    assert bodies(shown) == [article(title="T", description="D", url=LINK, picurl=PICTURE)]
    assert "a tap on it opens the link" in changes(shown)


def test_a_card_with_a_picture_alone_opens_the_picture() -> None:
    shown = card(Card(title="T", image_url=PICTURE))
    assert bodies(shown) == [article(title="T", description="", url=PICTURE, picurl=PICTURE)]
    assert "opens its picture" in changes(shown)


def test_a_cards_buttons_follow_under_its_title() -> None:
    shown = card(Card(title="T", text="D", image_url=PICTURE, buttons=(YES, SITE, Button(label="More", url=LINK))))
    assert bodies(shown) == [
        article(title="T", description="D", url=LINK, picurl=PICTURE),
        menu(f"T\nMore: {LINK}", ("YES", "Yes")),
    ]


def test_a_card_of_words_is_one_message() -> None:
    assert bodies(card(Card(title="T", text="D", buttons=(YES,)))) == [menu("T\nD", ("YES", "Yes"))]
    assert bodies(card(Card(title="T", text="D"))) == [said("T\nD")]
    assert bodies(card(Card())) == [said("Alt")]
    assert bodies(card(Card(image_url=PICTURE))) == [article(title="Alt", description="", url=PICTURE, picurl=PICTURE)]


def test_cards_side_by_side_stand_below_each_other() -> None:
    shown = card(Card(title="A", color="#2196F3"), Card(title="B"), rows=((YES,),))
    assert bodies(shown) == [said("A"), said("B"), menu("…", ("YES", "Yes"))]
    assert "below the other" in changes(shown)
    assert "colour" in changes(shown)


def test_a_picture_that_cannot_be_opened_is_written_as_text() -> None:
    shown = card(Card(title="T", image_url="ftp://x/p.jpg"))
    assert bodies(shown) == [said("T\nftp://x/p.jpg")]
    assert "picture" in changes(shown)


@pytest.mark.parametrize(
    ("title", "words", "kinds"),
    [
        ("t" * 128, "d" * 512, ["news"]),
        ("t" * 129, "d", ["text", "news"]),
        ("t", "d" * 513, ["text", "news"]),
    ],
)
def test_a_card_text_that_does_not_fit_is_said_whole_before_it(title: str, words: str, kinds: list[str]) -> None:
    shown = card(Card(title=title, text=words, buttons=(SITE,)))
    made = bodies(shown)
    assert [body["msgtype"] for body in made] == kinds
    assert title in str(made)
    assert words in str(made)
    assert ("too long" in changes(shown)) == (len(kinds) > 1)
