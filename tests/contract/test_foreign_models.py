"""Our requests before judges that we did not write: other people's libraries parse them, or send the same themselves.

LINE and Telegram: line-bot-sdk and aiogram parse each body of the corpus and dump it again; it must come back equal,
with no field lost or unknown. WhatsApp and WeChat: pywa and wechatpy are told the same intent
(``tests/corpora/twins.json``) and what they send must be what we send. They live in an environment of their own
(``make models``), because their pins are older than the product's.
"""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from connectors.interface import Call, Window
from tests.contract.outbound import cases, message_of
from tests.contract.specimens import specimens

ROOT = Path(__file__).parents[2]
JUDGE = ROOT / "tests" / "foreign" / "judge.py"
PYTHON = Path(sys.prefix).parent / ".venv-models" / "bin" / "python"
TWINS: dict[str, dict[str, list[tuple[str, dict[str, Any]]]]] = json.loads(
    (ROOT / "tests" / "corpora" / "twins.json").read_text()
)
PEERS = {"whatsapp": "15555550123", "wechat": "oEXAMPLE_openid_1"}
JUDGE_S_MAX = 90.0

PARSED = [(name, about) for name in ("line", "telegram") for about in cases()]
SENT = [(name, about) for name, twins in TWINS.items() for about in twins]


@cache
def calls_of(name: str, about: str) -> tuple[Call, ...]:
    """What we would call."""
    specimen = specimens()[name]
    message = message_of(cases()[about], specimen.platform, peer=PEERS.get(name, specimen.fake.native_user("ann")))
    window = Window(message.created_at, reply_token=message.reply_token, last_inbound_ms=message.last_inbound_at)
    return specimen.platform.plan(message, window, specimen.channel)


def intents_of(name: str, about: str) -> list[tuple[str, dict[str, Any]]]:
    """The library's calls for a case, each with whom it is for and, where there is one, the tag of ours."""
    intents = []
    for call, (method, arguments) in zip(calls_of(name, about), TWINS[name][about], strict=False):
        whom: dict[str, Any] = {"user_id": PEERS[name]} if name == "wechat" else {}
        if name == "whatsapp" and call.is_visible:
            whom = {"to": PEERS[name], "tracker": call.body["biz_opaque_callback_data"]}
        intents.append((method, whom | arguments))
    return intents


@pytest.fixture(scope="module")
def verdicts() -> dict[tuple[str, str], list[Any]]:
    """(platform, case) → what the library made of each call; all libraries are asked at once, by one process."""
    assert PYTHON.exists(), (
        f"{PYTHON} is missing: the foreign libraries have an environment of their own; `make models`"
    )
    questions: dict[str, list[Any]] = {}
    for name, about in PARSED:
        questions.setdefault(name, []).extend((call.name, call.body) for call in calls_of(name, about))
    for name, about in SENT:
        questions.setdefault(name, []).extend(intents_of(name, about))
    asked = json.dumps(questions)
    done = subprocess.run([PYTHON, JUDGE], input=asked, capture_output=True, text=True, timeout=JUDGE_S_MAX)
    assert done.returncode == 0, done.stderr[-2_000:]
    answers = {name: iter(found) for name, found in json.loads(done.stdout).items()}
    counts = {case: len(calls_of(*case)) for case in PARSED} | {case: len(intents_of(*case)) for case in SENT}
    return {case: [next(answers[case[0]]) for _ in range(count)] for case, count in counts.items()}


def without_defaults(dumped: Any, ours: Any) -> Any:
    """The dump without the members that the library adds by itself: those we do not have, and which say nothing."""
    if isinstance(dumped, dict) and isinstance(ours, dict):
        kept = {name: value for name, value in dumped.items() if name in ours or value}
        return {name: without_defaults(value, ours.get(name)) for name, value in kept.items()}
    if isinstance(dumped, list) and isinstance(ours, list) and len(dumped) == len(ours):
        return [without_defaults(one, other) for one, other in zip(dumped, ours, strict=True)]
    return dumped


@pytest.mark.parametrize(("name", "about"), PARSED)
def test_a_foreign_model_gives_the_body_back_equal(
    name: str, about: str, verdicts: dict[tuple[str, str], list[Any]]
) -> None:
    bodies = [call.body for call in calls_of(name, about)]
    found = verdicts[name, about]
    assert [without_defaults(dumped, body) for dumped, body in zip(found, bodies, strict=True)] == bodies


@pytest.mark.parametrize(("name", "about"), SENT)
def test_a_foreign_client_sends_the_same_for_the_same_intent(
    name: str, about: str, verdicts: dict[tuple[str, str], list[Any]]
) -> None:
    bodies = [call.body for call in calls_of(name, about)]
    assert [without_defaults(sent, body) for sent, body in zip(verdicts[name, about], bodies, strict=False)] == bodies[
        : len(verdicts[name, about])
    ]


def test_a_field_that_the_platform_does_not_know_would_be_noticed() -> None:
    questions = {
        "line": [("push", {"to": "U1", "messages": [{"type": "text", "text": "x", "colour": "red"}]})],
        "telegram": [("sendMessage", {"chat_id": 1, "text": "x", "colour": "red"})],
    }
    asked = json.dumps(questions)
    done = subprocess.run([PYTHON, JUDGE], input=asked, capture_output=True, text=True, timeout=JUDGE_S_MAX)
    answers = json.loads(done.stdout)
    assert "colour" not in json.dumps(answers["line"])
    assert "unknown ['colour']" in answers["telegram"][0]["refused"]
