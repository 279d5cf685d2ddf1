"""``iris inspect``: a body in, envelopes out; no broker, no credentials, and one clear error on anything else."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from connectors.registry import platforms
from schemas.registry import decode_event
from streams.cli.main import app

PAYLOADS = Path(__file__).parent.parent / "payloads"
MESSAGE = {"mid": "m1", "text": "สวัสดี"}


def messenger_body(*events: Any) -> bytes:
    return json.dumps({"object": "page", "entry": [{"id": "P1", "time": 1, "messaging": list(events)}]}).encode()


def event(sender: str | None, **what: Any) -> dict[str, Any]:
    people: dict[str, Any] = {"recipient": {"id": "P1"}} | ({"sender": {"id": sender}} if sender else {})
    return {**people, "timestamp": 1700000000123, **what}


def run(*arguments: str, body: bytes = b"") -> tuple[int, list[Any], str]:
    result = CliRunner().invoke(app, ["inspect", *arguments], input=body)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()], result.stderr


def test_every_event_of_a_body_becomes_an_envelope_in_the_bodys_order() -> None:
    body = messenger_body(event("U1", message=MESSAGE), event("U2", nobody_knows={}), event("U1", message=MESSAGE))
    code, lines, _ = run("messenger", "--channel", "shop", body=body)
    assert code == 0
    assert [(line["type"], line["conversation_id"]) for line in lines] == [
        ("message_received", "fb_shop_U1"),
        ("unrecognised", "fb_shop_U2"),
        ("message_received", "fb_shop_U1"),
    ]
    assert lines[0]["id"] == lines[2]["id"]
    assert lines[0]["data"]["content"] == {"kind": "text", "text": "สวัสดี", "entities": []}


def test_lines_are_what_the_log_would_hold() -> None:
    _, lines, _ = run("messenger", body=messenger_body(event("U1", message=MESSAGE)))
    read = decode_event(json.dumps(lines[0]).encode())
    assert read.conversation_id == "fb_main_U1"
    assert read.occurred_at == 1700000000123


def test_an_event_without_a_sender_is_shown_as_a_dead_letter_beside_the_others() -> None:
    code, lines, _ = run("messenger", body=messenger_body(event(None, message=MESSAGE), event("U1", message=MESSAGE)))
    assert code == 0
    assert set(lines[0]) == {"dead_letter", "platform", "channel", "peer", "event"}
    assert lines[1]["type"] == "message_received"


@pytest.mark.parametrize("name", sorted(platforms()))
@pytest.mark.parametrize("body", [b"", b"no JSON", b"\xff\xfe", b"[]", b"5", b"null", b"[" * 100_000, b'{"a":' * 5_000])
def test_a_bad_body_is_one_clear_error_and_exit_65(name: str, body: bytes) -> None:
    code, lines, said = run(name, body=body)
    assert code == 65
    assert not lines
    assert said.startswith(f"iris: not a webhook body of {name}: ")
    assert said.count("\n") == 1


def test_a_body_is_read_from_a_file_too(tmp_path: Path) -> None:
    file = tmp_path / "body.json"
    file.write_bytes(messenger_body(event("U1", message=MESSAGE)))
    code, lines, _ = run("messenger", str(file))
    assert (code, len(lines)) == (0, 1)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("nix",), 2, "no platform 'nix'; there are: "),
        (("messenger", "--channel", "Not OK"), 2, "channel id 'Not OK' must match"),
        (("messenger", "/nowhere/body.json"), 66, "cannot read /nowhere/body.json: No such file"),
    ],
)
def test_a_wrong_argument_is_named(arguments: tuple[str, ...], code: int, says: str) -> None:
    got, lines, said = run(*arguments)
    assert got == code
    assert not lines
    assert f"iris: {says}" in said


def test_a_body_without_events_says_so_and_is_fine() -> None:
    code, lines, said = run("messenger", body=messenger_body())
    assert (code, lines) == (0, [])
    assert "no event" in said


def test_an_input_larger_than_any_platform_sends_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.cli.output.INPUT_BYTES_MAX", 100)
    code, _, said = run("messenger", body=b" " * 101)
    assert code == 65
    assert "larger than 100 bytes" in said


def test_inspect_loads_neither_the_broker_client_nor_the_engine() -> None:
    code = (
        "import sys; from streams.cli.inspect import inspect; import streams.cli.main\n"
        "inspect('messenger', sys.argv[1].encode(), channel_id='main')\n"
        "print([name for name in ('faust', 'aiokafka', 'aiohttp', 'rocksdict') if name in sys.modules])"
    )
    body = messenger_body(event("U1", message=MESSAGE)).decode()
    answer = subprocess.run([sys.executable, "-c", code, body], capture_output=True, text=True, check=True)
    assert answer.stdout == "[]\n"
