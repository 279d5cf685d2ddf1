"""Untrusted JSON: bounded before parsing, split byte for byte, refused only when it is not JSON."""

import json
import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.shared.splitting import (
    MAX_DEPTH,
    NUMBER_CHARS_MAX,
    UNREADABLE,
    MalformedJsonError,
    has_long_number,
    is_deeper_than,
    member,
    mend_surrogates,
    parse_slice,
    split_json,
    text_member,
)


class Envelope(msgspec.Struct):
    events: list[msgspec.Raw]


def slices(body: bytes) -> list[bytes] | None:
    found = split_json(body, Envelope)
    return None if found is None else [bytes(item) for item in found.events]


def nested(depth: int) -> bytes:
    return b'{"a":' * (depth - 1) + b"[]" + b"}" * (depth - 1)


def test_slices_are_the_exact_bytes() -> None:
    body = b'{ "events" : [ {"a" : 1.0, "b":"\\u0e2a"} ,\n 2, "x" , null ] }'
    assert slices(body) == [b'{"a" : 1.0, "b":"\\u0e2a"}', b"2", b'"x"', b"null"]


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"events":{}}', b'"text"', b"1e999", b'{"events":1,"x":"\\ud800"}'])
def test_json_of_another_form_is_kept_whole(body: bytes) -> None:
    assert slices(body) is None


@pytest.mark.parametrize(
    "body", [b"", b"nul", b"\xff", b'{"events":["\xff"]}', b'{"events":[NaN]}', b"{}x", b"{", b"]"]
)
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedJsonError):
        slices(body)


@pytest.mark.parametrize("place", [b'{"events": [{"a\xed\xae\xa1": 1}]}', b'{"\xed\xae\xa1": 1}', b'["\xed\xb0\x80"]'])
def test_a_surrogate_in_bytes_of_its_own_is_no_utf8_and_so_no_json(place: bytes) -> None:
    with pytest.raises(MalformedJsonError):
        split_json(place, Envelope)


def test_half_a_surrogate_pair_does_not_cost_the_other_events() -> None:
    body = rb'{"events":[{"t":"\ud83d"},{"t":"\ud83d\ude00 \\ud83d"},{"t":"\ude00\ud83d"}]}'
    mended = slices(body)
    assert mended == [rb'{"t":"\ufffd"}', rb'{"t":"\ud83d\ude00 \\ud83d"}', rb'{"t":"\ufffd\ufffd"}']
    assert [parse_slice(bytes(item))["t"] for item in mended or []] == ["�", "😀 \\ud83d", "��"]


@given(st.text(alphabet=st.sampled_from(["\\", "u", "d", "8", "3", "e", "0", '"', "a"])))
def test_mending_keeps_the_length(text: str) -> None:
    assert len(mend_surrogates(text.encode())) == len(text)


@given(
    st.recursive(
        st.integers() | st.text() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_depth_is_that_of_the_parsed_value(value: object) -> None:
    def depth(node: object) -> int:
        inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else None
        return 0 if inner is None else 1 + max(map(depth, inner), default=0)

    body = json.dumps(value).encode()
    assert not is_deeper_than(body, depth(value))
    assert depth(value) == 0 or is_deeper_than(body, depth(value) - 1)


def test_the_limit_is_exact() -> None:
    assert split_json(nested(MAX_DEPTH), Envelope) is None
    with pytest.raises(MalformedJsonError, match="deeper"):
        split_json(nested(MAX_DEPTH + 1), Envelope)


def test_depth_is_counted_through_a_body_of_many_brackets() -> None:
    body = b"[" * 40 + b"[]," * 100_000 + b"[" * 30
    assert is_deeper_than(body, 69)
    assert not is_deeper_than(body, 70)


@pytest.mark.parametrize("body", [b'"[[[["', b'"\\"[[[["', b'"\\\\","[[[["', b'"unterminated [[[[', b'"[[[[\\'])
def test_brackets_in_strings_do_not_count(body: bytes) -> None:
    assert not is_deeper_than(body, 0)


@pytest.mark.parametrize(
    "unit",
    [
        b"[",
        b"]",
        b"[]",
        b'"',
        b'"\\"',
        b"\\",
        b'{"a":',
        b'["",',
        b'"\\\\',
        b"[{",
        b"1",
        b"9" * 400 + b",",
        b'"1"',
        b'"1',
    ],
    ids=lambda unit: repr(unit[:8]),
)
def test_hostile_megabytes_are_measured_in_linear_time(unit: bytes) -> None:
    def cost_s(size: int) -> float:
        body = unit * (size // len(unit))
        started = time.process_time()
        is_deeper_than(body, MAX_DEPTH)
        has_long_number(body)
        return time.process_time() - started

    # Eight times the input may cost eight times the time; quadratic work would cost 64 times. The constant part
    # absorbs timer noise for the inputs that are decided at once.
    assert cost_s(2_000_000) < 24 * cost_s(250_000) + 0.05


@pytest.mark.parametrize("slice_", [b"1e999", b"9" * NUMBER_CHARS_MAX, b"-1e400"])
def test_a_number_beyond_a_double_is_unreadable_not_fatal(slice_: bytes) -> None:
    assert slices(b'{"events":[' + slice_ + b"]}") == [slice_]
    assert parse_slice(slice_) is UNREADABLE


LONG = b"9" * 5_000


@pytest.mark.parametrize("place", [b"%s", b'{"events":[%s]}', b'{"events":[],"x":{"y":[1,{"z":%s}]}}', b'["a\\"",%s]'])
@pytest.mark.parametrize(
    "number",
    [LONG, b"-" + LONG, b"0." + LONG, LONG + b".5", b"1e" + LONG, b"1E-" + LONG, b"9" * (NUMBER_CHARS_MAX + 1)],
)
def test_a_number_of_absurd_length_is_refused_wherever_it_stands(place: bytes, number: bytes) -> None:
    with pytest.raises(MalformedJsonError, match="a number of more than 400 characters"):
        split_json(place.replace(b"%s", number), Envelope)


@pytest.mark.parametrize("before", range(0, 200, 7))
def test_a_long_number_is_seen_wherever_it_begins(before: int) -> None:
    body = b" " * before + b"9" * (NUMBER_CHARS_MAX + 1) + b" " * 1_000
    assert has_long_number(body)
    assert not has_long_number(body.replace(b"99", b"9", 1))


@pytest.mark.parametrize("text", [LONG, b'\\"' + LONG, LONG + b'\\"', b"\\\\", LONG + b"\\n" + LONG])
def test_digits_in_a_text_are_a_text(text: bytes) -> None:
    slice_ = b'{"text":"' + text + b'","' + text + b'":1}'
    assert slices(b'{"events":[' + slice_ + b"]}") == [slice_]


def test_a_double_may_be_written_without_exponent() -> None:
    longest = f"-{1e-323:.340f}".encode()
    assert slices(b'{"events":[' + longest + b"]}") == [longest]
    assert parse_slice(longest) == -1e-323


def test_numbers_that_are_long_only_together_are_taken() -> None:
    items = [b"9" * NUMBER_CHARS_MAX] * 20
    assert slices(b'{"events":[' + b",".join(items) + b"]}") == items


def test_digits_just_within_the_limit_cost_no_more_than_short_numbers() -> None:
    def cost_s(digits: int) -> float:
        body = b'"' + LONG + b'"' + (b"," + b"9" * digits) * (1_000_000 // (digits + 1))
        started = time.process_time()
        assert not has_long_number(body)
        return time.process_time() - started

    # Looked at again from each digit on, runs of 400 cost about thirty times as much as runs of 10.
    assert cost_s(NUMBER_CHARS_MAX) < 8 * cost_s(10)


def test_members_of_anything() -> None:
    value = {"a": {"id": 7, "name": "x", "flag": True, "empty": ""}, "list": [1]}
    assert member(value, "a", "name") == "x"
    assert member(value, "list", "a") is None
    assert member(None, "a") is None
    assert [text_member(value, "a", name) for name in ("id", "name", "flag", "empty", "no")] == [
        "7",
        "x",
        None,
        None,
        None,
    ]
