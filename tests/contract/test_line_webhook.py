"""LINE webhooks: who may call, what is kept of a body, and what each event means."""

import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import WebhookRejected
from connectors.interface import Unprocessable, WebhookRequest
from connectors.line import PLATFORM
from connectors.shared.signing import hmac_base64
from schemas.registry import decode_event, encode
from tests.contract.line_setup import (
    BOT,
    SECRET,
    accepted,
    channel,
    normalised,
    raw_events,
    signed,
    text_event,
)
from tests.contract.mutations import JSON

PAYLOADS = sorted((Path(__file__).parents[1] / "payloads" / "line").glob("*.json"))
BODY = json.dumps({"destination": BOT, "events": [text_event(1, "สวัสดี")]}).encode()


def envelope(*events: Any, destination: str = BOT) -> bytes:
    return json.dumps({"destination": destination, "events": events}).encode()


def rejection(request: WebhookRequest) -> WebhookRejected:
    with pytest.raises(WebhookRejected) as caught:
        PLATFORM.accept(request, channel(), [channel()])
    return caught.value


# Who may call.


def test_a_signed_body_is_accepted_and_stored_byte_for_byte() -> None:
    body = b'{"destination":"U0", "events":[ {"type":"message", "source":{"userId":"U1"}, "x": "\\u0e2a\\/ 1.0"} ]}'
    (record,) = accepted(body).records
    assert b'{"type":"message", "source":{"userId":"U1"}, "x": "\\u0e2a\\/ 1.0"}' in record.value
    assert (record.channel, record.peer) == ("shop", "U1")


@pytest.mark.parametrize(
    "signature", ["x", "é", "\udcff", "A" * 44, hmac_base64("other", BODY), hmac_base64(SECRET, BODY + b" ")]
)
def test_a_wrong_signature_is_403(signature: str) -> None:
    assert rejection(signed(BODY, headers={"x-line-signature": signature})).status == 403


def test_no_signature_is_401_and_no_post_is_405() -> None:
    assert rejection(signed(BODY, headers={})).status == 401
    assert rejection(WebhookRequest("GET", {}, {}, b"")).status == 405


def test_the_signature_is_checked_before_the_body_is_looked_at() -> None:
    assert rejection(signed(b"[" * 100_000, headers={"x-line-signature": "x"})).status == 403


def test_while_a_secret_is_rotated_both_are_valid() -> None:
    rotating = channel(secrets=("new", "old"))
    for secret in ("new", "old"):
        assert len(accepted(BODY, rotating, secret=secret).records) == 1


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"events":[NaN]}', b"[" * 65 + b"]" * 65])
def test_an_authentic_body_that_is_not_json_or_too_deep_is_400(body: bytes) -> None:
    assert rejection(signed(body)).status == 400


# Whose event it is.


def test_a_body_goes_to_the_channel_that_owns_its_bot() -> None:
    first, second = channel("one", bot="U1"), channel("two", bot="U2")
    answer = accepted(envelope(text_event(1, "a"), destination="U2"), first, second)
    assert [record.channel for record in answer.records] == ["two"]


def test_a_body_for_a_bot_that_nobody_owns_is_refused_and_counted() -> None:
    answer = accepted(envelope(text_event(1, "a"), text_event(2, "b"), destination="U9"), channel(bot="U1"))
    assert (answer.records, answer.refused) == ((), 2)


def test_a_channel_with_another_secret_never_gets_it() -> None:
    stranger = channel("two", secrets=("other",), bot="U2")
    answer = accepted(envelope(text_event(1, "a"), destination="U2"), channel("one", bot="U1"), stranger)
    assert (answer.records, answer.refused) == ((), 1)


def test_a_channel_without_a_configured_bot_takes_what_comes_to_its_address() -> None:
    assert [record.channel for record in accepted(BODY, channel("one")).records] == ["one"]


# What it means.


def outcome(result: Any) -> list[dict[str, Any]]:
    """The members of the expected events, as they would stand on the log."""
    if isinstance(result, Unprocessable):
        return [{"dead": result.reason}]
    shown = [orjson.loads(encode(event)) for event in result]
    return [{name: event[name] for name in ("type", "conversation_id", "occurred_at", "data")} for event in shown]


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda path: path.stem)
def test_payload(path: Path) -> None:
    """Every recorded body gives exactly the events that stand beside it; the file says which law it shows."""
    case = json.loads(path.read_text())
    body = json.dumps(case["body"], ensure_ascii=False).encode()
    assert [outcome(result) for result in normalised(body)] == case["expected"]


def test_there_are_payloads_of_every_known_kind() -> None:
    bodies = [json.loads(path.read_text())["body"] for path in PAYLOADS]
    events = [event for body in bodies for event in body.get("events", []) if isinstance(event, dict)]
    kinds = {event["type"] for event in events if isinstance(event.get("type"), str)}
    of_people = "message messageEdited unsend postback follow unfollow join leave memberJoined memberLeft beacon"
    of_the_account = "videoPlayComplete accountLink membership module activated deactivated botSuspended botResumed"
    assert kinds >= {*of_people.split(), *of_the_account.split(), "delivery"}


def test_what_the_log_gives_back_is_what_was_written() -> None:
    for path in PAYLOADS:
        body = json.dumps(json.loads(path.read_text())["body"]).encode()
        for result in normalised(body):
            for event in () if isinstance(result, Unprocessable) else result:
                again = decode_event(encode(event))
                assert encode(again) == encode(event)
                assert (again.correlation_id, again.causation_id, again.recorded_at) == (again.id, None, 1790000009000)


def test_a_redelivery_has_the_same_ids_and_another_event_has_not() -> None:
    first = text_event(1, "a")
    again = {**first, "deliveryContext": {"isRedelivery": True}}
    unsend = {**text_event(1, "a"), "type": "unsend", "unsend": {"messageId": first["message"]["id"]}}
    ids = [
        events[0].id
        for events in normalised(envelope(first, again, unsend, text_event(2, "a")))
        if isinstance(events, tuple)
    ]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


def test_without_an_event_id_only_a_redelivery_is_the_same() -> None:
    first = {name: value for name, value in text_event(1, "a").items() if name != "webhookEventId"}
    again = {**first, "deliveryContext": {"isRedelivery": True}}
    results = normalised(envelope(first, again, {**first, "timestamp": 5}))
    ids = [events[0].id for events in results if isinstance(events, tuple)]
    assert ids[0] == ids[1] != ids[2]


def test_one_event_that_cannot_be_loaded_again_does_not_cost_the_others() -> None:
    body = envelope(text_event(1, "a"))[:-2] + b', {"type":"x","n":1e999}, {"t":"\\ud83d","source":{"userId":"U1"}}]}'
    records = accepted(body).records
    assert [record.peer for record in records] == ["U11111111111111111111111111111111", "", "U1"]
    raws = raw_events(accepted(body))
    assert raws[1].body is not None
    assert raws[2].event["t"] == "\ufffd"


# Nothing is lost and nothing raises, whatever comes.

SAMPLES = [event for path in PAYLOADS for event in json.loads(path.read_text())["body"].get("events", [])]


@st.composite
def mutated_events(draw: st.DrawFn) -> Any:
    """A documented event with up to three members, at any depth, replaced or taken away."""
    event = json.loads(json.dumps(draw(st.sampled_from(SAMPLES))))
    for _ in range(draw(st.integers(0, 3))):
        node = event
        while isinstance(node, dict) and node:
            name = draw(st.sampled_from(sorted(node)))
            if isinstance(node[name], dict) and draw(st.booleans()):
                node = node[name]
                continue
            node[name] = draw(JSON)
            if draw(st.booleans()):
                del node[name]
            break
    return event


@given(events=st.lists(mutated_events() | JSON, max_size=6), destination=JSON)
def test_every_event_of_an_envelope_becomes_a_record_and_a_fact_or_a_dead_letter(
    events: list[Any], destination: Any
) -> None:
    body = json.dumps({"destination": destination, "events": events}).encode()
    answer = accepted(body)
    assert len(answer.records) + answer.refused == len(events)
    for result in normalised(body):
        assert isinstance(result, Unprocessable) or len(result) >= 1
        for event in () if isinstance(result, Unprocessable) else result:
            decode_event(encode(event))


@pytest.mark.parametrize(
    ("source", "mentionees", "is_addressed"),
    [
        ({"type": "user", "userId": "U1"}, [], True),
        ({"type": "group", "groupId": "C1", "userId": "U1"}, [], False),
        ({"type": "room", "roomId": "R1", "userId": "U1"}, [{"type": "all"}], False),
        (
            {"type": "group", "groupId": "C1"},
            [{"type": "user", "userId": "U2"}, {"type": "user", "isSelf": True}],
            True,
        ),
    ],
)
def test_in_a_group_only_who_mentions_the_account_asks_it(
    source: dict[str, str], mentionees: list[dict[str, Any]], is_addressed: bool
) -> None:
    message = {"id": "5", "type": "text", "text": "@a @b hi", "mention": {"mentionees": mentionees}}
    event = {"type": "message", "webhookEventId": "01H", "timestamp": 1, "source": source, "message": message}
    (result,) = normalised(json.dumps({"destination": "U0", "events": [event]}).encode())
    assert not isinstance(result, Unprocessable)
    assert result[0].data.metadata.get("is_addressed", True) is is_addressed
