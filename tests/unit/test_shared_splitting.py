"""Untrusted JSON: bounded before parsing, split byte for byte, refused only when it is not JSON."""

import json
import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.shared.splitting import (
    MAX_DEPTH,
    UNREADABLE,
    MalformedJsonError,
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
    assert [parse_slice(item)["t"] for item in mended or []] == ["�", "😀 \\ud83d", "��"]


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
    "unit", [b"[", b"]", b"[]", b'"', b'"\\"', b"\\", b'{"a":', b'["",', b'"\\\\', b"[{"], ids=repr
)
def test_hostile_megabytes_are_measured_in_linear_time(unit: bytes) -> None:
    def cost_s(size: int) -> float:
        body = unit * (size // len(unit))
        started = time.process_time()
        is_deeper_than(body, MAX_DEPTH)
        return time.process_time() - started

    # Eight times the input may cost eight times the time; quadratic work would cost 64 times. The constant part
    # absorbs timer noise for the inputs that are decided at once.
    assert cost_s(2_000_000) < 24 * cost_s(250_000) + 0.05


@pytest.mark.parametrize("slice_", [b"1e999", b"9" * 5000, b"-1e400"])
def test_a_number_beyond_a_double_is_unreadable_not_fatal(slice_: bytes) -> None:
    assert slices(b'{"events":[' + slice_ + b"]}") == [slice_]
    assert parse_slice(slice_) is UNREADABLE


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
