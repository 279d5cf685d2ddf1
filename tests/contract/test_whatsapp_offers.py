"""WhatsApp's planner: lists, products, carousels, templates, reactions, requests for a place, read and typing."""

from typing import Any

from schemas.content import MediaContent, TemplateContent, TextContent
from schemas.outbound import (
    Button,
    Card,
    CardContent,
    ListContent,
    ProductContent,
    ProductSection,
    ReactionContent,
    Section,
)
from tests.contract.meta_planning import LINK, changes, part, taps
from tests.contract.whatsapp_kit import NUMBER
from tests.contract.whatsapp_planning import contents, interactive, plan

HELLO = TextContent(text="hi")
ROWS = (Button(label="Express", data="ship_1", description="1 day"), Button(label="Post", data="ship_2"))
SHOWN = [{"id": "ship_1", "title": "Express", "description": "1 day"}, {"id": "ship_2", "title": "Post"}]


def products(*ids: str, **more: Any) -> ProductContent:
    given = {"text": "Our tea", "catalog_id": "77"} | more
    sections = [ProductSection(title="Green", product_ids=ids)] if ids else []
    return ProductContent.model_validate(given | {"sections": sections})


def test_a_list_has_header_body_footer_button_and_sections() -> None:
    content = ListContent(
        text="Choose",
        title="Shipping",
        footer="Tap below",
        label="Options",
        sections=(Section(title="Fast", rows=ROWS[:1]), Section(title="Slow", rows=ROWS[1:])),
    )
    (call,) = plan(part(content))
    assert call.body["interactive"] == {
        "type": "list",
        "header": {"type": "text", "text": "Shipping"},
        "body": {"text": "Choose"},
        "footer": {"text": "Tap below"},
        "action": {
            "button": "Options",
            "sections": [{"title": "Fast", "rows": SHOWN[:1]}, {"title": "Slow", "rows": SHOWN[1:]}],
        },
    }
    assert call.changes == ()


def test_a_lists_button_is_named_in_the_persons_language() -> None:
    content = ListContent(text="?", sections=(Section(rows=ROWS),))
    labels = [interactive(plan(part(content), language=language)[0])["action"]["button"] for language in ("th", None)]
    assert labels == ["เลือก", "Choose"]


def test_more_rows_than_a_list_holds_are_several_lists_under_the_same_headings() -> None:
    sections = tuple(Section(title=f"S{number}", rows=numbered_rows(number)) for number in range(2))
    calls = plan(part(ListContent(text="?", sections=sections)))
    headings = [[section["title"] for section in interactive(call)["action"]["sections"]] for call in calls]
    assert headings == [["S0", "S1"], ["S1"]]
    ids = [
        row["id"] for call in calls for section in interactive(call)["action"]["sections"] for row in section["rows"]
    ]
    assert ids == [row.data for section in sections for row in section.rows]
    assert changes(calls) == ["a list of more than 10 rows sent as 2 lists"]


def numbered_rows(section: int) -> tuple[Button, ...]:
    return tuple(Button(label=f"r{number}", data=f"{section}-{number}") for number in range(7))


def test_rows_that_a_list_cannot_hold_are_written_into_its_words() -> None:
    rows = (*ROWS, Button(label="Site", url="https://example.com"), Button(label="Again", data="ship_1"))
    (call,) = plan(part(ListContent(text="Choose", sections=(Section(rows=rows),))))
    assert interactive(call)["body"]["text"] == "Choose\n• Site: https://example.com\n• Again"
    assert [row["id"] for row in interactive(call)["action"]["sections"][0]["rows"]] == ["ship_1", "ship_2"]
    assert len(call.changes) == 1


def test_blank_data_is_no_id_and_its_label_is_written() -> None:
    rows = (*ROWS, Button(label="Blank", data=" "))
    (call,) = plan(part(ListContent(text="Choose", sections=(Section(rows=rows),))))
    assert interactive(call)["body"]["text"] == "Choose\n• Blank"
    (call,) = plan(part(HELLO, Button(label="Blank", data="\n")))
    assert call.body["text"]["body"] == "hi\n• Blank"


def test_one_product_several_or_the_whole_catalogue() -> None:
    calls = plan(
        part(products("p1", footer="Fresh"), id="a"), part(products("p1", "p2", title="Tea"), id="b"), part(products())
    )
    assert [value for _, value in contents(calls)] == [
        {
            "type": "product",
            "body": {"text": "Our tea"},
            "footer": {"text": "Fresh"},
            "action": {"catalog_id": "77", "product_retailer_id": "p1"},
        },
        {
            "type": "product_list",
            "header": {"type": "text", "text": "Tea"},
            "body": {"text": "Our tea"},
            "action": {
                "catalog_id": "77",
                "sections": [
                    {
                        "title": "Green",
                        "product_items": [{"product_retailer_id": "p1"}, {"product_retailer_id": "p2"}],
                    }
                ],
            },
        },
        {"type": "catalog_message", "body": {"text": "Our tea"}, "action": {"name": "catalog_message"}},
    ]
    assert changes(calls) == []


def test_products_of_a_catalogue_that_is_not_named_are_shown_as_their_cards() -> None:
    tea = Card(title="Tea", image_url=LINK, buttons=taps("Buy"))
    calls = plan(part(products("p1", catalog_id=None, cards=(tea,))), part(products("p1", catalog_id=None), id="b"))
    assert [interactive(calls[0])["type"], calls[1].body["text"]["body"]] == ["button", "Our tea"]
    assert len(changes(calls)) == 2


def test_cards_that_are_alike_stand_side_by_side() -> None:
    links = tuple(
        Card(title=f"T{n}", text="x", image_url=LINK, buttons=(Button(label="Open", url=f"https://example.com/{n}"),))
        for n in range(2)
    )
    (call,) = plan(part(CardContent(cards=links, alt_text="Teas")))
    first = {
        "card_index": 0,
        "type": "cta_url",
        "header": {"type": "image", "image": {"link": LINK}},
        "body": {"text": "*T0*\nx"},
        "action": {"name": "cta_url", "parameters": {"display_text": "Open", "url": "https://example.com/0"}},
    }
    assert interactive(call)["type"] == "carousel"
    assert interactive(call)["body"] == {"text": "Teas"}
    assert interactive(call)["action"]["cards"][0] == first
    assert call.changes == ()


def test_a_carousel_of_taps_and_the_parts_own_buttons_below_it() -> None:
    cards = tuple(Card(image_url=LINK, buttons=taps(f"a{n}", f"b{n}", f"c{n}")) for n in range(3))
    shown, below = plan(part(CardContent(cards=cards, alt_text="Teas"), *taps("More")))
    taps_of = [[button["quick_reply"]["id"] for button in card["action"]["buttons"]] for card in cards_of(shown)]
    assert taps_of == [["A0", "B0", "C0"], ["A1", "B1", "C1"], ["A2", "B2", "C2"]]
    assert interactive(below)["type"] == "button"


def cards_of(call: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = interactive(call)["action"]["cards"]
    return found


def test_cards_that_differ_in_buttons_stand_one_below_the_other_and_lose_nothing() -> None:
    cards = (Card(image_url=LINK, buttons=taps("a")), Card(image_url=LINK, buttons=taps("b", "c")), Card(title="no"))
    calls = plan(part(CardContent(cards=cards, alt_text="Teas")))
    assert [body.get("type") for _, body in contents(calls)][:2] == ["button", "button"]
    assert "3 cards one below the other" in changes(calls)


def test_cards_whose_taps_carry_the_same_stand_one_below_the_other() -> None:
    cards = tuple(Card(title=title, image_url=LINK, buttons=taps("Buy")) for title in ("Tea", "Milk"))
    calls = plan(part(CardContent(cards=cards, alt_text="Teas")))
    assert [interactive(call)["type"] for call in calls] == ["button", "button"]


def test_a_cards_own_link_is_a_button() -> None:
    (call,) = plan(part(CardContent(cards=(Card(title="Tea", url="https://example.com/t"),), alt_text="x")))
    assert interactive(call)["action"]["parameters"] == {"display_text": "Tea", "url": "https://example.com/t"}


def test_a_template_has_header_body_and_button_variables() -> None:
    content = TemplateContent.model_validate(
        {
            "name": "order_update",
            "language": "en_US",
            "header": MediaContent(kind="image", media_id="400"),
            "named_parameters": {"first_name": "Ana"},
            "buttons": [
                {"index": 0, "type": "quick_reply", "value": "STOP_1"},
                {"index": 1, "type": "url", "value": "A-1001"},
                {"index": 2, "type": "copy_code", "value": "TEA10"},
            ],
        }
    )
    (call,) = plan(part(content))
    assert call.body["template"]["components"] == [
        {"type": "header", "parameters": [{"type": "image", "image": {"id": "400"}}]},
        {"type": "body", "parameters": [{"type": "text", "parameter_name": "first_name", "text": "Ana"}]},
        {
            "type": "button",
            "sub_type": "quick_reply",
            "index": "0",
            "parameters": [{"type": "payload", "payload": "STOP_1"}],
        },
        {"type": "button", "sub_type": "url", "index": "1", "parameters": [{"type": "text", "text": "A-1001"}]},
        {
            "type": "button",
            "sub_type": "copy_code",
            "index": "2",
            "parameters": [{"type": "coupon_code", "coupon_code": "TEA10"}],
        },
    ]
    assert call.changes == ()


def test_a_header_that_no_template_can_have_is_left_out_and_said() -> None:
    (call,) = plan(part(TemplateContent(name="t", header=MediaContent(kind="audio", url=LINK))))
    assert "components" not in call.body["template"]
    assert call.changes


def test_a_reaction_is_set_and_taken_away_and_may_be_repeated() -> None:
    calls = plan(
        part(ReactionContent(message_id="wamid.1", emoji="👍")), part(ReactionContent(message_id="wamid.1"), id="b")
    )
    assert [value for _, value in contents(calls)] == [
        {"message_id": "wamid.1", "emoji": "👍"},
        {"message_id": "wamid.1", "emoji": ""},
    ]
    assert all(call.idempotency_key for call in calls)
    assert len({call.idempotency_key for call in calls}) == 2


def test_a_person_is_asked_for_their_place() -> None:
    where = Button(label="Share place", asks="location")
    (call,) = plan(part(TextContent(text="Where are you?"), where))
    assert call.body["interactive"] == {
        "type": "location_request_message",
        "body": {"text": "Where are you?"},
        "action": {"name": "send_location"},
    }
    words, request = plan(part(TextContent(text="Where are you?"), where, *taps("Later")))
    assert [interactive(one)["type"] for one in (words, request)] == ["button", "location_request_message"]
    assert interactive(request)["body"] == {"text": "Share place"}


def test_a_person_is_asked_for_their_number() -> None:
    (call,) = plan(part(TextContent(text="How can we call you?"), Button(label="My number", asks="phone")))
    assert call.body["interactive"] == {
        "type": "request_contact_info",
        "body": {"text": "How can we call you?"},
        "action": {"name": "request_contact_info"},
    }
    assert call.changes == ()
    (call,) = plan(part(TextContent(text="And your address?"), Button(label="My address", asks="email")))
    assert call.body["text"]["body"] == "And your address?\n• My address"
    assert call.changes


def test_read_and_typing_go_before_the_first_message_unseen() -> None:
    seen, hello = plan(part(HELLO), mark_read="wamid.9", typing=True)
    assert (seen.is_visible, seen.part_ids, seen.method) == (False, (), "POST")
    assert seen.url.endswith(f"/{NUMBER}/messages")
    assert seen.body == {
        "messaging_product": "whatsapp",
        "status": "read",
        "message_id": "wamid.9",
        "typing_indicator": {"type": "text"},
    }
    assert (hello.is_visible, hello.changes) == (True, ())
    assert "typing_indicator" not in plan(part(HELLO), mark_read="wamid.9")[0].body


def test_typing_without_a_message_to_read_is_left_out_and_said() -> None:
    (call,) = plan(part(HELLO), typing=True)
    assert len(call.changes) == 1
