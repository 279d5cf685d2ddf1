"""``iris channels``: what it lists, finds and registers; what it never shows; how it ends."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import connectors
from connectors.interface import Channel
from connectors.registry import platforms
from streams.channels import without_secrets
from tests.fakes.line import FakeLine
from tests.fakes.telegram import SECRET_TOKEN, TOKEN, FakeTelegram
from tests.harness.channels import configure, iris, iris_text

BASE = "https://iris.example.com"


@pytest.fixture
async def fakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[FakeLine, FakeTelegram]]:
    line, telegram = FakeLine(), FakeTelegram()
    await line.start()
    await telegram.start()
    configure((line, telegram), tmp_path, monkeypatch)
    yield line, telegram
    await line.stop()
    await telegram.stop()


async def test_list_tells_path_and_which_credentials_are_set(fakes: tuple[FakeLine, FakeTelegram]) -> None:
    code, lines, _ = await iris("channels", "list")
    assert code == 0
    assert [(line["platform"], line["channel"], line["webhook"]) for line in lines] == [
        ("line", "shop", "/webhooks/line/shop"),
        ("telegram", "shop", "/webhooks/telegram/shop"),
    ]
    assert lines[0]["credentials"] == {"channel_secret": 1, "access_token": 1}
    assert all(line["care"] for line in lines)
    assert fakes[0].journal == fakes[1].journal == [], "nobody is asked"


async def test_list_works_without_the_broker_and_says_that_health_is_not_known(
    fakes: tuple[FakeLine, FakeTelegram], monkeypatch: pytest.MonkeyPatch
) -> None:
    for server, says in (("", "no broker is named"), ("127.0.0.1:1", "no Kafka broker answers at 127.0.0.1:1")):
        if server:
            monkeypatch.setenv("IRIS_KAFKA_BOOTSTRAP_SERVERS", server)
        code, lines, said = await iris("channels", "list")
        assert (code, [line["health"] for line in lines], says in said) == (0, [None, None], True), said
    assert "unknown" in (await iris_text("channels", "list"))[1]


@pytest.mark.parametrize("command", ["list", "check", "register"])
async def test_no_output_shows_a_credential(command: str, fakes: tuple[FakeLine, FakeTelegram]) -> None:
    line, _ = fakes
    line.faults.add("token")
    arguments = ["channels", command, *(["--url", BASE] if command != "list" else [])]
    for out in (await iris_text(*arguments), await iris_text(*arguments, "--json")):
        assert not [
            secret for secret in (line.access_token, line.channel_secret, TOKEN, SECRET_TOKEN) if secret in str(out)
        ]


def test_a_credential_that_a_platform_quotes_is_taken_out_and_an_id_stays() -> None:
    channel = Channel("shop", "telegram", {"bot_token": ("700:tok",), "secret_token": ("s3cret",)})
    assert without_secrets("bad 700:tok of s3cret shop", channel) == "bad *** of *** shop"


async def test_register_then_check_finds_everything_in_order(fakes: tuple[FakeLine, FakeTelegram]) -> None:
    line, telegram = fakes
    code, lines, _ = await iris("channels", "check", "--url", BASE)
    assert (code, [item["platform"] for item in lines if item["level"] == "error"]) == (1, ["line", "telegram"])
    code, lines, _ = await iris("channels", "register", "--url", f"{BASE}/")
    assert (code, {item["level"] for item in lines}) == (0, {"ok", "click"})
    assert line.account.endpoint == f"{BASE}/webhooks/line/shop"
    assert telegram.hook.url == f"{BASE}/webhooks/telegram/shop"
    assert (await iris("channels", "check", "--url", BASE))[0] == 0
    assert (await iris("channels", "check"))[0] == 0, "without an address the path is compared"


async def test_the_public_address_may_be_a_setting(
    fakes: tuple[FakeLine, FakeTelegram], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IRIS_PUBLIC_URL", BASE)
    assert (await iris("channels", "register", "line/shop"))[0] == 0
    assert fakes[0].account.endpoint == f"{BASE}/webhooks/line/shop"
    assert fakes[1].hook.url == "", "only the channel that was named"


async def test_a_platform_that_cannot_be_asked_is_told_apart_from_a_channel_that_is_wrong(
    fakes: tuple[FakeLine, FakeTelegram],
) -> None:
    line, telegram = fakes
    await iris("channels", "register", "--url", BASE)
    await line.stop()
    code, _, said = await iris("channels", "check")
    assert (code, "try again" in said) == (75, True)
    telegram.faults.add("token")
    assert (await iris("channels", "check"))[0] == 1


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["register"], 2, "give --url https://host, or set IRIS_PUBLIC_URL"),
        (["check", "--url", "iris.example.com"], 2, "write for example https://iris.example.com"),
        (["check", "nowhere"], 2, "no channel 'nowhere'; there are: line/shop, telegram/shop"),
    ],
)
async def test_a_wrong_order_is_told_with_the_right_one(
    arguments: list[str], code: int, says: str, fakes: tuple[FakeLine, FakeTelegram]
) -> None:
    found, _, said = await iris_text("channels", *arguments)
    assert (found, says in said) == (code, True), said


async def test_a_secret_that_is_not_set_is_named(
    fakes: tuple[FakeLine, FakeTelegram], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FAKE_LINE_ACCESS_TOKEN")
    code, _, said = await iris_text("channels", "list")
    assert (code, "FAKE_LINE_ACCESS_TOKEN is not set" in said) == (78, True)


async def test_without_channels_list_says_where_they_belong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, said = await iris_text("channels", "list")
    assert (code, out) == (0, "")
    assert "add a [[channels]] table to iris.toml" in said
    assert (await iris_text("channels", "check"))[0] == 78


async def test_a_platform_without_care_is_listed_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with nothing but the two halves; see ``connectors.interface``."""
    folder = tmp_path / "connectors" / "pigeon"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("from connectors.pigeon.platform import PLATFORM\n")
    (folder / "platform.py").write_text(
        'class Pigeon:\n    name = "pigeon"\n    fields = ()\n\n\nPLATFORM = Pigeon()\n'
    )
    (tmp_path / "iris.toml").write_text('[[channels]]\nid = "loft"\nplatform = "pigeon"\n')
    monkeypatch.setattr(connectors, "__path__", list(connectors.__path__))
    monkeypatch.setenv("IRIS_CONNECTORS_PATH", str(folder.parent))
    monkeypatch.setenv("IRIS_CONFIG", str(tmp_path / "iris.toml"))
    platforms.cache_clear()
    try:
        assert [line["care"] for line in (await iris("channels", "list"))[1]] == [False]
        code, lines, _ = await iris("channels", "check")
        assert (code, lines[0]["what"]) == (0, "this platform offers no checks")
    finally:
        platforms.cache_clear()
        for name in [name for name in sys.modules if name.startswith("connectors.pigeon")]:
            del sys.modules[name]
