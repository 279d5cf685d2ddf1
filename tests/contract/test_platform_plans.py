"""The outbound contract of every connector that is found: whatever is asked becomes calls that are valid and complete.

The messages are data (``tests/corpora/outbound.json``), the connectors are discovered: neither is listed here.
"""

import json
import random
import re
from collections.abc import Sequence

import orjson
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.interface import Call, Window
from schemas.outbound import DeletionContent, OutboundMessage, Part, ReactionContent
from tests.contract.outbound import CREATED_AT, LONG, cases, message_of, stretched
from tests.contract.specimens import Specimen, specimens

every_platform = pytest.mark.parametrize("name", specimens())


def peer_of(specimen: Specimen) -> str:
    return specimen.fake.native_user("ann")


def planned(specimen: Specimen, message: OutboundMessage) -> tuple[Call, ...]:
    """The plan with every window open; checks that planning again gives the same."""
    window = Window(now_ms=CREATED_AT, reply_token=message.reply_token, last_inbound_ms=message.last_inbound_at)
    calls = specimen.platform.plan(message, window, specimen.channel)
    assert specimen.platform.plan(message, window, specimen.channel) == calls
    return calls


def require_valid(specimen: Specimen, message: OutboundMessage, calls: Sequence[Call]) -> None:
    """Every part is in a visible call, in order, but one that takes something back, which not every platform can;
    every request can be made as it stands."""
    visible = [call for call in calls if call.is_visible]
    covered = list(dict.fromkeys(id for call in visible for id in call.part_ids))
    wanted = [part.id for part in message.parts if part.id in covered or not is_taking_back(part)]
    assert covered == wanted, "a part is left out, or out of order"
    assert all(call.part_ids for call in visible), "a call that a user can see belongs to a part"
    assert not any(call.part_ids for call in calls if not call.is_visible)
    for call in calls:
        require_request(specimen, call)


def is_taking_back(part: Part) -> bool:
    return isinstance(part.content, DeletionContent | ReactionContent) and not getattr(part.content, "emoji", None)


def require_request(specimen: Specimen, call: Call) -> None:
    """Valid JSON, an absolute address, credentials by name only, and each change told in words."""
    assert json.loads(orjson.dumps(call.body)) == call.body, "JSON gives back what was planned"
    assert call.method in ("GET", "POST", "PUT", "DELETE")
    assert re.match(r"https?://[^/]", call.url)
    secrets = {field.name for field in specimen.platform.fields if field.is_secret}
    text = json.dumps([call.url, dict(call.headers), call.body], ensure_ascii=False)
    for name in secrets & set(specimen.channel.values):
        assert not any(value in text for value in specimen.channel.all(name)), f"{name} stands in the plan"
    assert all(change.strip() for change in call.changes)
    if call.idempotency_key is not None and call.idempotency_key not in text:
        assert "message_id" in text, "the key is told to the platform, or the call changes a message to the same again"


@every_platform
@pytest.mark.parametrize("indicated", [False, True])
def test_taps_are_answered_without_a_message_where_buttons_spin(name: str, indicated: bool) -> None:
    specimen = specimens()[name]
    case = {"parts": [], "callback_ids": ["4382bfdwdsb323b2d9", "another"], "typing": indicated}
    message = message_of(case, specimen.platform, peer=peer_of(specimen))
    calls = planned(specimen, message)
    assert not any(call.is_visible for call in calls)
    for call in calls:
        require_request(specimen, call)
    answered = [call.body["callback_query_id"] for call in calls if call.name == "answerCallbackQuery"]
    can_spin = "callback_query" in json.dumps([body.decode() for body in specimen.bodies.values()])
    assert answered == (list(message.callback_ids) if can_spin else [])


@every_platform
@pytest.mark.parametrize("about", cases())
def test_every_message_of_the_corpus_is_planned_completely(name: str, about: str) -> None:
    specimen = specimens()[name]
    message = message_of(cases()[about], specimen.platform, peer=peer_of(specimen))
    require_valid(specimen, message, planned(specimen, message))


@every_platform
@settings(max_examples=200)
@given(chances=st.randoms(use_true_random=True))
def test_whatever_is_asked_is_planned_completely_and_validly(name: str, chances: random.Random) -> None:
    specimen = specimens()[name]
    message = stretched(specimen.platform, chances, peer=peer_of(specimen))
    require_valid(specimen, message, planned(specimen, message))


@every_platform
@pytest.mark.parametrize("about", cases())
def test_what_was_changed_is_told_without_the_messages_own_words(name: str, about: str) -> None:
    """Content stands in ``data.content`` and nowhere else, so that it can be erased; changes are logged beside it."""
    specimen = specimens()[name]
    marked = json.loads(
        re.sub(r'"(label|title|text|caption|name|alt_text)": "', r'"\1": "Qxz ', json.dumps(cases()[about]))
    )
    message = message_of(marked, specimen.platform, peer=peer_of(specimen))
    changes = [change for call in planned(specimen, message) for change in call.changes]
    assert [change for change in changes if "Qxz" in change or "example.com" in change] == []


def texts_of(value: object) -> list[str]:
    """Every text inside a body."""
    if isinstance(value, str):
        return [value]
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for member in members for text in texts_of(member)]


@every_platform
def test_a_long_text_is_cut_between_graphemes_and_nothing_of_it_is_lost(name: str) -> None:
    specimen = specimens()[name]
    long = cases()["a text that no platform takes in one piece"]
    calls = planned(specimen, message_of(long, specimen.platform, peer=peer_of(specimen)))
    pieces = [text for call in calls for text in texts_of(call.body) if "ก" in text]
    assert len(pieces) > 1
    assert regex.findall(r"\X", "".join("".join(pieces).split())) == regex.findall(r"\X", "".join(LONG.split()))
    whole = set(regex.findall(r"\X", LONG))
    assert {grapheme for piece in pieces for grapheme in regex.findall(r"\X", piece)} <= whole


@every_platform
def test_two_messages_have_different_keys_and_one_has_the_same_on_every_attempt(name: str) -> None:
    specimen = specimens()[name]

    def keys_of(id: str) -> set[str | None]:
        case = {"id": id, "parts": [{"id": f"{id}-1", "kind": "text", "text": "hello"}]}
        calls = planned(specimen, message_of(case, specimen.platform, peer=peer_of(specimen)))
        return {call.idempotency_key for call in calls} - {None}

    keys = [keys_of(id) for id in ("first", "first", "second")]
    assert keys[0] == keys[1]
    assert not keys[0] & keys[2]
