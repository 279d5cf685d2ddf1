"""``iris render``: an outbound message in, API calls out; credentials never shown, what was changed is said."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from connectors.registry import platforms
from streams.cli.main import app
from tests.harness.shelf import STORED

TEXT = {"kind": "text", "text": "hi"}


def run(platform: str, message: Any, *options: str) -> tuple[int, list[Any], str]:
    given = message if isinstance(message, bytes) else json.dumps(message).encode()
    result = CliRunner().invoke(app, ["render", platform, *options], input=given)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()], result.stderr


@pytest.mark.parametrize("name", sorted(platforms()))
def test_a_message_typed_by_hand_becomes_calls_of_every_platform(name: str) -> None:
    code, calls, said = run(name, {"peer": "12345", "parts": [{"content": TEXT}]})
    assert (code, said) == (0, "")
    assert calls
    for call in calls:
        assert set(call) == {"method", "url", "headers", "body"}
        assert call["url"].startswith("https://")
    assert any("hi" in json.dumps(call["body"]) for call in calls)


@pytest.mark.parametrize("name", sorted(platforms()))
def test_no_credential_and_no_placeholder_of_one_is_shown(name: str) -> None:
    _, calls, _ = run(name, {"peer": "12345", "parts": [{"content": TEXT}]})
    shown = json.dumps(calls)
    assert "secret:" not in shown
    assert "***" in shown


def test_a_part_may_be_its_bare_content_with_buttons_beside_it() -> None:
    part = {**TEXT, "quick_replies": [{"label": "yes", "data": "YES"}]}
    code, calls, _ = run("messenger", {"peer": "U1", "parts": [part]})
    assert code == 0
    assert calls[0]["body"]["message"]["quick_replies"][0]["payload"] == "YES"


@pytest.mark.parametrize("name", ["messenger", "telegram", "wechat", "whatsapp"])
def test_what_will_be_uploaded_stands_where_its_id_will(name: str) -> None:
    media = {"kind": "image", "url": STORED, "mime_type": "image/png"}
    code, (call,), said = run(name, {"peer": "12345", "parts": [media]})
    assert (code, said) == (0, "")
    assert f'{{"upload": "{STORED}", "kind": ' in json.dumps(call["body"])


def test_the_peer_may_be_told_by_the_conversation_id() -> None:
    code, calls, _ = run("messenger", {"conversation_id": "fb_shop_U7", "parts": [TEXT]})
    assert (code, calls[0]["body"]["recipient"]) == (0, {"id": "U7"})


def test_what_could_not_be_rendered_as_asked_is_said_on_stderr() -> None:
    many = [{"label": f"button {number}", "data": str(number)} for number in range(40)]
    code, calls, said = run("messenger", {"peer": "U1", "parts": [{**TEXT, "quick_replies": many}]})
    assert code == 0
    assert calls
    assert said.startswith("changed: ")


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b'{"peer": 1', "not JSON"),
        ([], "expected a JSON object"),
        ({}, "peer is missing"),
        ({"peer": ""}, "peer is missing"),
        ({"peer": "U1"}, "parts: Field required"),
        ({"peer": "U1", "parts": []}, "parts: at least one is needed"),
        ({"peer": "U1", "parts": [5]}, "parts.0: "),
        ({"peer": "U1", "parts": [{"kind": "unheard"}]}, "parts.0.content: "),
        ({"peer": "U1", "parts": [TEXT], "surprise": 1}, "surprise: Extra inputs"),
        ({"peer": "U1", "parts": [TEXT], "created_at": "yesterday"}, "created_at: "),
        ({"peer": "U1", "parts": [TEXT], "channel": "Not OK"}, "channel 'Not OK' must be text"),
        ({"peer": "U1", "parts": [TEXT], "channel": 7}, "channel 7 must be text"),
        ({"conversation_id": "x", "parts": [TEXT]}, "conversation_id: 'x' is no conversation id"),
        ({"peer": "U1", "parts": [TEXT], "platform": "another"}, "the message is for 'another', not for messenger"),
    ],
)
def test_anything_but_an_outbound_message_is_one_clear_error_and_exit_65(message: Any, says: str) -> None:
    code, calls, said = run("messenger", message)
    assert code == 65
    assert not calls
    assert said.startswith("iris: ")
    assert says in said


def test_an_unknown_platform_is_named() -> None:
    code, _, said = run("nix", {})
    assert code == 2
    assert "no platform 'nix'; there are: " in said


def test_a_part_that_is_in_no_call_is_named() -> None:
    code, calls, said = run("line", {"peer": "U1", "parts": [TEXT, {"kind": "deletion", "message_id": "7"}]})
    assert (code, len(calls)) == (0, 1)
    assert "part-2: left out, line has nothing like a deletion" in said
