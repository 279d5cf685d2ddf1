"""``iris templates``: listed, handed in, and looked at; exit codes say whether a template may be sent."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.line import FakeLine
from tests.fakes.whatsapp import ACCESS_TOKEN, FakeWhatsApp
from tests.harness.channels import configure, iris, iris_text

CREATE = ("templates", "create", "order_update", "--body", "Order {{1}} is ready.", "--example", "A-1001")


@pytest.fixture
async def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeWhatsApp]:
    server, line = FakeWhatsApp(), FakeLine()
    await server.start()
    configure((line, server), tmp_path, monkeypatch)
    yield server
    await server.stop()


async def test_a_template_is_handed_in_in_thai_and_waits(fake: FakeWhatsApp) -> None:
    code, (made,), _ = await iris(*CREATE)
    assert (code, made["name"], made["language"], made["status"]) == (0, "order_update", "th", "pending")
    (stored,) = fake.account.templates
    assert (stored["language"], stored["category"]) == ("th", "UTILITY")
    assert stored["components"] == [
        {"type": "BODY", "text": "Order {{1}} is ready.", "example": {"body_text": [["A-1001"]]}}
    ]


async def test_language_category_header_and_footer_may_be_chosen(fake: FakeWhatsApp) -> None:
    more = ("--language", "en_US", "--category", "marketing", "--header", "News", "--footer", "Shop")
    assert (await iris(*CREATE, *more))[0] == 0
    (stored,) = fake.account.templates
    assert (stored["language"], stored["category"]) == ("en_US", "MARKETING")
    assert [part["type"] for part in stored["components"]] == ["HEADER", "BODY", "FOOTER"]


async def test_list_shows_all_with_their_status(fake: FakeWhatsApp) -> None:
    fake.account.add_template("a", "th")
    fake.account.add_template("b", "en", "REJECTED", rejected_reason="TAG_CONTENT_MISMATCH")
    code, lines, _ = await iris("templates", "list")
    assert code == 0
    assert [(one["name"], one["language"], one["status"], one["reason"]) for one in lines] == [
        ("a", "th", "approved", ""),
        ("b", "en", "rejected", "TAG_CONTENT_MISMATCH"),
    ]
    assert "Hello {{1}}" in (await iris_text("templates", "list"))[1]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["a"], 0, ""),
        (["b"], 1, "b may not be sent yet: th is pending"),
        (["b", "--language", "en"], 0, ""),
        (["c"], 1, "the account has no template 'c'"),
        (["a", "--language", "de"], 1, "no template 'a' in de"),
    ],
)
async def test_status_says_by_its_exit_code_whether_it_may_be_sent(
    arguments: list[str], code: int, says: str, fake: FakeWhatsApp
) -> None:
    fake.account.add_template("a", "th")
    fake.account.add_template("b", "th", "PENDING")
    fake.account.add_template("b", "en")
    found, _, said = await iris("templates", "status", *arguments)
    assert (found, says in said) == (code, True), said


async def test_what_breaks_a_rule_is_bad_input(fake: FakeWhatsApp) -> None:
    code, _, said = await iris("templates", "create", "Order", "--body", "Hello {{1}}")
    assert (code, "not a template: name 'Order'" in said) == (65, True)
    assert fake.journal == []


async def test_a_refused_token_is_told_without_itself(fake: FakeWhatsApp) -> None:
    fake.account.token = "another"
    code, out, said = await iris("templates", "list")
    assert (code, "190" in said, ACCESS_TOKEN in said + str(out)) == (1, True, False)


async def test_a_channel_without_templates_is_told_from_those_with_them(fake: FakeWhatsApp) -> None:
    code, _, said = await iris("templates", "list", "--channel", "line/shop")
    assert (code, "there are: whatsapp/shop" in said) == (2, True)
    assert (await iris("templates", "list", "--channel", "whatsapp/shop"))[0] == 0


async def test_of_several_channels_one_has_to_be_named(
    fake: FakeWhatsApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "iris.toml"
    table = file.read_text().partition('id = "shop"\nplatform = "whatsapp"')[2]
    file.write_text(file.read_text() + '\n[[channels]]\nid = "bar"\nplatform = "whatsapp"' + table)
    code, _, said = await iris("templates", "list")
    assert (code, "whatsapp/shop, whatsapp/bar; name one with --channel" in said) == (2, True)
