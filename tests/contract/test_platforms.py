"""The inbound contract of every connector that is found, whichever it is: total, complete, deterministic, closed.

A platform that is dropped in is covered as soon as its folder, its fake and its payloads are there; no list is edited.
What only one platform has stands in its own tests.
"""

import json
import random
import re
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.interface import AnonymousReports, Channel, Unprocessable
from connectors.registry import platforms
from schemas.ids import split_conversation_id
from schemas.inbound import decode_raw
from tests.contract.endurance import endure, is_lost
from tests.contract.mutations import at, changed_bytes, changed_members, copied, paths_of
from tests.contract.specimens import CHANNEL, PAYLOADS, RECEIVED_AT, Specimen, outcome, specimens
from tests.fakes.__main__ import discovered

every_platform = pytest.mark.parametrize("name", specimens())
every_body = pytest.mark.parametrize(
    ("name", "title"), [(name, title) for name, specimen in specimens().items() for title in specimen.bodies]
)
NOVELTY = "b7e1-never-seen-before"


def document_of(body: bytes) -> Any:
    """The body as JSON, or None."""
    try:
        return json.loads(body)
    except ValueError:
        return None


def events_of(specimen: Specimen, body: bytes) -> list[str]:
    """Ids of all events of a body, in order; checks each of them."""
    records = specimen.split(body).records
    return [event.id for record in records for event in specimen.events(specimen.raw(record))]


def survives(specimen: Specimen, body: bytes) -> None:
    """The body is refused as a whole (400 or 413), or every record of it becomes events or a dead letter."""
    accepted = outcome(lambda: specimen.split(body))
    if isinstance(accepted, int):
        assert accepted in (400, 413)
        return
    assert not is_lost(body, accepted), "a body vanished"
    for record in accepted.records:
        made = specimen.platform.normalise(specimen.raw(record))
        # What intake lets through fits: such a reason is an error of ours (a TypeError, say) that took another name.
        assert not isinstance(made, Unprocessable) or not re.search("envelope|too deep", made.reason), made
        specimen.events(specimen.raw(record))


@pytest.mark.parametrize("name", platforms())
def test_a_platform_has_a_fake_and_real_payloads(name: str) -> None:
    assert name in discovered(), f"add tests/fakes/{name}.py: without it no signature can be proven or forged"
    assert (PAYLOADS / name).is_dir(), f"add webhook bodies to tests/payloads/{name}"
    specimen = specimens()[name]
    taken = [body for body in specimen.bodies.values() if specimen.split(body).records]
    assert len(taken) > len(specimen.bodies) / 2, f"the payloads are addressed to others than {specimen.channel.values}"


@every_body
def test_every_record_of_a_real_body_becomes_events_or_a_dead_letter(name: str, title: str) -> None:
    specimen = specimens()[name]
    for record in specimen.split(specimen.bodies[title]).records:
        specimen.events(specimen.raw(record))


@every_body
def test_the_same_bytes_have_the_same_ids_whenever_they_come_and_others_on_another_channel(
    name: str, title: str
) -> None:
    specimen = specimens()[name]
    body = specimen.bodies[title]
    first = events_of(specimen, body)
    assert events_of(specimen, body) == first
    records = specimen.split(body).records
    later = [specimen.raw(record, received_at=RECEIVED_AT + 86_400_000) for record in records]
    timeless = {event.id for raw in later for event in specimen.events(raw)}
    elsewhere = Channel("another", name, specimen.channel.values)
    others = specimen.split(body, elsewhere).records
    assert timeless == set(first), "an id must not depend on when the event came"
    assert not {event.id for record in others for event in specimen.events(specimen.raw(record))} & set(first)


PLAUSIBLE_MS = range(1_577_836_800_000, 1_893_456_000_000)
"""2020 to 2030: a second taken for a millisecond is 1970, a millisecond taken for a second far in the future."""


@every_body
def test_the_platforms_clock_is_read_in_its_own_unit(name: str, title: str) -> None:
    specimen = specimens()[name]
    for record in specimen.split(specimen.bodies[title]).records:
        for event in specimen.events(specimen.raw(record)):
            assert int(event.occurred_at) in PLAUSIBLE_MS, event


def lists_of_events(specimen: Specimen, document: Any) -> list[tuple[str | int, ...]]:
    """The ways to those lists of a body whose elements become records: without one of them, there are fewer."""
    whole = len(specimen.split(json.dumps(document).encode()).records)
    found = []
    for path in paths_of(document):
        held = at(document, path)
        if isinstance(held, list) and held:
            fewer = copied(document)
            del at(fewer, path)[-1]
            # An emptied list may be a record of its own, so there may also be as many as before.
            if len(specimen.split(json.dumps(fewer).encode()).records) < whole:
                found.append(path)
    return found


@every_body
def test_an_unheard_of_item_in_any_list_of_events_is_kept_or_counted_as_refused(name: str, title: str) -> None:
    specimen = specimens()[name]
    document = document_of(specimen.bodies[title])
    if not isinstance(document, dict):
        assert name == "wechat", "only XML has no lists"
        return
    before = specimen.split(specimen.bodies[title])
    for path in lists_of_events(specimen, document):
        more = copied(document)
        at(more, path).append({"type": "novelty", "zzz": NOVELTY})
        after = specimen.split(json.dumps(more).encode())
        is_kept = any(NOVELTY.encode() in record.value for record in after.records)
        assert is_kept or after.refused > before.refused, f"an item of {path} is lost"
        assert len(after.records) >= len(before.records), f"an item of {path} costs others"


@every_body
def test_a_number_of_thousands_of_digits_is_refused_wherever_it_stands_and_the_same_digits_as_text_are_not(
    name: str, title: str
) -> None:
    specimen = specimens()[name]
    document = document_of(specimen.bodies[title])
    if not isinstance(document, dict):
        assert name == "wechat", "only XML has no numbers"
        return
    digits = "9" * 5_000
    for path in paths_of(document)[1:]:
        changed = copied(document)
        at(changed, path[:-1])[path[-1]] = digits
        text = json.dumps(changed).encode()
        assert not isinstance(outcome(partial(specimen.split, text)), int), f"a text at {path} is refused"
        number = text.replace(f'"{digits}"'.encode(), digits.encode())
        assert outcome(partial(specimen.split, number)) == 400, f"a number at {path} is taken"


@every_body
def test_a_report_says_whose_it_is_where_the_connector_does_not_say_otherwise(name: str, title: str) -> None:
    """What was sent along, or a person: only then does it reach the conversation without anybody's help."""
    specimen = specimens()[name]
    for record in specimen.split(specimen.bodies[title]).records:
        for event in specimen.events(specimen.raw(record)):
            if event.type in ("delivery_reported", "message_read"):
                has_person = bool(split_conversation_id(event.conversation_id)[2])
                has_tag = event.type == "delivery_reported" and event.data.tag is not None
                assert has_person or has_tag or isinstance(specimen.platform, AnonymousReports), event


def some_body(specimen: Specimen, chances: random.Random) -> bytes:
    return specimen.bodies[chances.choice(sorted(specimen.bodies))]


@every_platform
@settings(max_examples=200)
@given(chances=st.randoms(use_true_random=True))
def test_a_body_with_changed_bytes_is_refused_or_handled_and_never_crashes(name: str, chances: random.Random) -> None:
    specimen = specimens()[name]
    survives(specimen, changed_bytes(some_body(specimen, chances), chances))


@every_platform
def test_thousands_of_seeded_mutations_crash_nothing_lose_nothing_and_cost_little(name: str) -> None:
    endured = endure(specimens()[name], count=2_000, seed=1)
    assert endured.tried == 2_000
    assert min(endured.rejected, endured.events) > 100, f"both ways must be tried: {endured}"


@every_platform
@settings(max_examples=200)
@given(chances=st.randoms(use_true_random=True))
def test_any_member_of_a_body_may_be_anything(name: str, chances: random.Random) -> None:
    specimen = specimens()[name]
    body = some_body(specimen, chances)
    document = document_of(body)
    changed = changed_bytes(body, chances) if document is None else json.dumps(changed_members(document, chances))
    survives(specimen, changed if isinstance(changed, bytes) else changed.encode())


@every_platform
@settings(max_examples=200)
@given(chances=st.randoms(use_true_random=True))
def test_normalise_is_total_on_whatever_lies_on_its_topic(name: str, chances: random.Random) -> None:
    specimen = specimens()[name]
    values = [json.loads(record.value) for record in specimen.split(some_body(specimen, chances)).records]
    changed = changed_members(chances.choice(values or [{"peer": "", "enclosing": {}}]), chances)
    try:
        raw = decode_raw(json.dumps(changed).encode(), platform=name, channel=CHANNEL, received_at=RECEIVED_AT)
    except ValueError:
        return
    specimen.events(raw)
