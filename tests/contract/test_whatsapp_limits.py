"""Every outbound limit of WhatsApp's: at the limit a message goes as asked, one beyond it is changed, and that is said.

What the planner makes is put before the fake's rules in both cases (``whatsapp_planning.plan``); the second table holds
the fake to the same limits.
"""

from collections.abc import Callable
from typing import Any

import pytest

from schemas.content import MediaContent, TemplateButton, TemplateContent, TextContent
from schemas.outbound import Button, Card, CardContent, ListContent, Part, ProductContent, ProductSection, Section
from tests.contract.meta_planning import LINK, changes, part, taps
from tests.contract.whatsapp_planning import plan
from tests.fakes.whatsapp_rules import Refused, check

MB = 1_000_000
SAID = TextContent(text="?")


def tap(*, label: int = 1, data: int = 1) -> Part:
    return part(SAID, Button(label="x" * label, data="d" * data))


def listed(rows: int = 1, *, sections: int = 1, label: int = 1, data: int = 1, more: int = 0, **frame: Any) -> Part:
    row = Button(label="x" * label, data="d" * data, description="d" * more or None)
    made = [row, *(Button(label=f"r{number}", data=f"row-{number}") for number in range(rows - 1))]
    shown = [Section(title=frame.pop("heading", "A"), rows=tuple(made))]
    shown += [Section(title="B", rows=(Button(label="b", data=f"s{number}"),)) for number in range(sections - 1)]
    return part(ListContent.model_validate({"text": "?", "sections": shown} | frame))


def opened_by(label: str) -> Part:
    rows = (Button(label="a", data="a"),)
    return part(ListContent(text="?", label=label, sections=(Section(rows=rows),)))


def product(items: int = 2, *, sections: int = 1, **frame: Any) -> Part:
    made = [ProductSection(title=frame.pop("heading", "A"), product_ids=tuple(f"p{n}" for n in range(items)))]
    made += [ProductSection(title=f"S{number}", product_ids=("q",)) for number in range(sections - 1)]
    return part(ProductContent.model_validate({"text": "?", "catalog_id": "1", "sections": made} | frame))


def cards(count: int = 2, *, text: str = "words", label: int = 1, url: str = LINK) -> Part:
    button = Button(label="x" * label, url="https://example.com")
    return part(CardContent(cards=(Card(text=text, image_url=url, buttons=(button,)),) * count, alt_text="all"))


def taps_on_cards(count: int) -> Part:
    made = [Card(text="x", image_url=LINK, buttons=taps(*(f"{card}{n}" for n in range(count)))) for card in "ab"]
    return part(CardContent(cards=tuple(made), alt_text="all"))


def media(kind: str, *, size: int = 1, caption: int = 0) -> Part:
    content = {"kind": kind, "url": LINK, "size_bytes": size, "caption": "x" * caption or None}
    return part(MediaContent.model_validate(content))


def template(**given: Any) -> Part:
    return part(TemplateContent.model_validate({"name": "t"} | given))


def template_buttons(count: int) -> Part:
    return template(buttons=[TemplateButton(index=number, type="url", value="x") for number in range(count)])


LIMITS: dict[str, tuple[int, Callable[[int], Part]]] = {
    "text": (4096, lambda n: part(TextContent(text="x" * n))),
    "caption": (1024, lambda n: media("image", caption=n)),
    "reply buttons": (3, lambda n: part(SAID, *taps(*map(str, range(n))))),
    "reply button title": (20, lambda n: tap(label=n)),
    "reply button id": (256, lambda n: tap(data=n)),
    "reply button body": (1024, lambda n: part(TextContent(text="x" * n), *taps("a"))),
    "link button title": (20, lambda n: part(SAID, Button(label="x" * n, url=LINK))),
    "link button body": (1024, lambda n: part(TextContent(text="x" * n), Button(label="a", url=LINK))),
    "location request body": (1024, lambda n: part(TextContent(text="x" * n), Button(label="Where", asks="location"))),
    "list rows": (10, lambda n: listed(n)),
    "list rows over sections": (10, lambda n: listed(5, sections=n - 4)),
    "list sections": (10, lambda n: listed(sections=n)),
    "list body": (4096, lambda n: listed(text="x" * n)),
    "list header": (60, lambda n: listed(title="x" * n)),
    "list footer": (60, lambda n: listed(footer="x" * n)),
    "list button": (20, lambda n: opened_by("x" * n)),
    "section title": (24, lambda n: listed(heading="x" * n)),
    "row id": (200, lambda n: listed(data=n)),
    "row description": (72, lambda n: listed(more=n)),
    "long row label": (72, lambda n: listed(label=n)),
    "product body": (1024, lambda n: product(text="x" * n)),
    "products": (30, lambda n: product(n)),
    "product sections": (10, lambda n: product(sections=n)),
    "product section title": (24, lambda n: product(heading="x" * n)),
    "product header": (60, lambda n: product(title="x" * n)),
    "product footer": (60, lambda n: product(1, footer="x" * n)),
    "carousel cards": (10, lambda n: cards(n)),
    "carousel text": (160, lambda n: cards(text="x" * n)),
    "carousel line breaks": (2, lambda n: cards(text="x" + "\nx" * n)),
    "carousel taps": (3, lambda n: taps_on_cards(n)),
    "carousel link title": (20, lambda n: cards(label=n)),
    "image": (5 * MB, lambda n: media("image", size=n)),
    "video": (16 * MB, lambda n: media("video", size=n)),
    "audio": (16 * MB, lambda n: media("audio", size=n)),
    "document": (100 * MB, lambda n: media("file", size=n)),
    "template body": (1024, lambda n: template(parameters=["x" * n])),
    "template named variable": (1024, lambda n: template(named_parameters={"a": "x" * n})),
    "template header": (60, lambda n: template(header={"kind": "text", "text": "x" * n})),
    "template buttons": (10, template_buttons),
}
"""The greatest that goes as asked, and a part of that size."""


@pytest.mark.parametrize("name", LIMITS)
def test_at_the_limit_as_asked_and_one_beyond_changed_and_said(name: str) -> None:
    most, made = LIMITS[name]
    assert changes(plan(made(most))) == []
    assert changes(plan(made(most + 1))) != []


def test_a_carousel_of_one_card_is_a_card() -> None:
    (call,) = plan(cards(1))
    assert call.body["interactive"]["type"] == "cta_url"


def asked(kind: str, action: dict[str, Any], **more: Any) -> dict[str, Any]:
    value = {"type": kind, "body": {"text": "?"}, "action": action} | more
    return {"messaging_product": "whatsapp", "to": "15555550123", "type": "interactive", "interactive": value}


def sold(items: int = 2, *, title: int = 1, header: int = 1, sections: int = 1, **more: Any) -> dict[str, Any]:
    made = [{"title": "x" * title, "product_items": [{"product_retailer_id": "p"}] * items}]
    made += [{"title": "x", "product_items": [{"product_retailer_id": "p"}]}] * (sections - 1)
    shown = {"header": {"type": "text", "text": "x" * header}} if header else {}
    return asked("product_list", {"catalog_id": "1", "sections": made}, **shown, **more)


def carousel(count: int = 2, *, text: str = "x", title: int = 1, **card: Any) -> dict[str, Any]:
    action = {"name": "cta_url", "parameters": {"display_text": "x" * title, "url": LINK}}
    shown = {"type": "cta_url", "body": {"text": text}, "action": action}
    shown |= {"header": {"type": "image", "image": {"link": LINK}}} | card
    return asked("carousel", {"cards": [{"card_index": number} | shown for number in range(count)]})


def components(*given: dict[str, Any]) -> dict[str, Any]:
    value = {"name": "t", "language": {"code": "th"}, "components": list(given)}
    return {"messaging_product": "whatsapp", "to": "15555550123", "type": "template", "template": value}


def words(kind: str, length: int) -> dict[str, Any]:
    return {"type": kind, "parameters": [{"type": "text", "text": "x" * length}]}


def button(index: object, sub_type: str = "url") -> dict[str, Any]:
    return {"type": "button", "sub_type": sub_type, "index": str(index), "parameters": [{"type": "text", "text": "x"}]}


READ = {"messaging_product": "whatsapp", "status": "read", "message_id": "w"}


@pytest.mark.parametrize(
    ("taken", "refused"),
    [
        (sold(30), sold(31)),
        (sold(1, sections=10), sold(1, sections=11)),
        (sold(title=24), sold(title=25)),
        (sold(header=60), sold(header=61)),
        (sold(), sold(header=0)),
        (sold(footer={"text": "x" * 60}), sold(footer={"text": "x" * 61})),
        (asked("catalog_message", {"name": "catalog_message"}), asked("catalog_message", {})),
        (
            asked("product", {"catalog_id": "1", "product_retailer_id": "p"}),
            asked("product", {"product_retailer_id": "p"}),
        ),
        (
            asked("location_request_message", {"name": "send_location"}),
            asked("location_request_message", {"name": "send_location"}, footer={"text": "x"}),
        ),
        (carousel(10), carousel(11)),
        (carousel(2), carousel(1)),
        (carousel(text="x" * 160), carousel(text="x" * 161)),
        (carousel(text="x\nx\nx"), carousel(text="x\nx\nx\nx")),
        (carousel(title=20), carousel(title=21)),
        (carousel(), carousel(header={"type": "text", "text": "x"})),
        (components(words("body", 1024)), components(words("body", 1025))),
        (components(words("header", 60)), components(words("header", 61))),
        (components(*map(button, range(10))), components(*map(button, range(11)))),
        (components(button(0)), components(button(0, "call"))),
        (READ | {"typing_indicator": {"type": "text"}}, READ | {"typing_indicator": {"type": "audio"}}),
    ],
)
def test_the_fake_keeps_each_limit_exactly(taken: dict[str, Any], refused: dict[str, Any]) -> None:
    check(taken)
    with pytest.raises(Refused):
        check(refused)
