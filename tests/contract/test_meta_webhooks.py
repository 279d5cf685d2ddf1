"""What Meta's webhooks have in common, on every platform with a verify token: URL check, signature, form.

Source: Meta Webhooks "Getting Started". A platform of Meta that is dropped in is covered as soon as it is found.
"""

import base64
import dataclasses
import itertools
import json
import re
from typing import Any

import msgspec
import pytest

from connectors.errors import WebhookRejected
from connectors.interface import Accepted, Challenge, Channel, Unprocessable, WebhookRequest
from tests.contract.specimens import Specimen, specimens

META = [
    name
    for name, specimen in specimens().items()
    if "verify_token" in {field.name for field in specimen.platform.fields}
]
every_meta = pytest.mark.parametrize("name", META)


def with_values(channel: Channel, **values: tuple[str, ...]) -> Channel:
    return dataclasses.replace(channel, values={**channel.values, **values})


def check_url(specimen: Specimen, channel: Channel, **query: str) -> Accepted | Challenge:
    names = {name.replace("hub_", "hub."): value for name, value in query.items()}
    return specimen.platform.accept(WebhookRequest("GET", {}, names, b""), channel, (channel,))


def test_metas_platforms_are_here() -> None:
    assert {"instagram", "messenger", "whatsapp"} <= set(META)


@every_meta
@pytest.mark.parametrize("token", ["verify-1", "verify-2"])
def test_the_bare_challenge_answers_any_configured_verify_token(name: str, token: str) -> None:
    specimen = specimens()[name]
    channel = with_values(specimen.channel, verify_token=("verify-1", "verify-2"))
    answer = check_url(specimen, channel, hub_mode="subscribe", hub_verify_token=token, hub_challenge="1158201444")
    assert answer == Challenge("1158201444")


@every_meta
@pytest.mark.parametrize(
    "query",
    [
        {"hub_mode": "subscribe", "hub_verify_token": "wrong", "hub_challenge": "1"},
        {"hub_mode": "subscribe", "hub_verify_token": "vérify-1\udcff", "hub_challenge": "1"},
        {"hub_mode": "subscribe", "hub_verify_token": "", "hub_challenge": "1"},
        {"hub_mode": "subscribe", "hub_challenge": "1"},
        {"hub_mode": "subscribe", "hub_verify_token": "verify-1"},
        {"hub_mode": "unsubscribe", "hub_verify_token": "verify-1", "hub_challenge": "1"},
        {},
    ],
)
@pytest.mark.parametrize("tokens", [("verify-1",), ("",), ()])
def test_any_other_url_check_is_refused(name: str, query: dict[str, str], tokens: tuple[str, ...]) -> None:
    specimen = specimens()[name]
    with pytest.raises(WebhookRejected) as refusal:
        check_url(specimen, with_values(specimen.channel, verify_token=tokens), **query)
    assert refusal.value.status == 403


@every_meta
@pytest.mark.parametrize(
    "signature",
    ["", "sha256=", "sha1=00", "sha256=zz", "sha256=" + "0" * 63, "sha256=" + "é" * 64, "sha256=\udcff", "00" * 32],
)
def test_a_strange_signature_is_refused_and_raises_nothing_else(name: str, signature: str) -> None:
    specimen = specimens()[name]
    request = specimen.request(specimen.bodies["messages"])
    strange = dataclasses.replace(request, headers={**request.headers, "x-hub-signature-256": signature})
    with pytest.raises(WebhookRejected) as refusal:
        specimen.accept(strange)
    assert refusal.value.status == 403


@every_meta
def test_the_signature_covers_the_escaped_bytes_and_not_what_they_mean(name: str) -> None:
    specimen = specimens()[name]
    body = specimen.bodies["messages"]
    again = json.dumps(json.loads(body), ensure_ascii=False, separators=(",", ":")).encode()
    assert again != body
    assert json.loads(again) == json.loads(body)
    assert specimen.accept(specimen.request(body)).records
    with pytest.raises(WebhookRejected):
        specimen.accept(dataclasses.replace(specimen.request(body), body=again))


@every_meta
@pytest.mark.parametrize(
    "body",
    [
        "[]",
        "7",
        "null",
        "{}",
        '{"object":"OBJECT"}',
        '{"object":"OBJECT","entry":{}}',
        '{"object":"another","entry":[{"id":"100000000000001","messaging":[],"changes":[]}]}',
        # Some samples of the documentation stand in an array; what comes is the object.
        '[{"object":"OBJECT","entry":[]}]',
        '\ufeff{"object":"OBJECT","entry":[]}',
    ],
)
def test_an_authentic_body_of_another_form_is_kept_whole(name: str, body: str) -> None:
    specimen = specimens()[name]
    sent = body.replace("OBJECT", json.loads(specimen.bodies["messages"])["object"]).encode()
    (record,) = specimen.accept(specimen.request(sent)).records
    assert (record.channel, record.peer) == (specimen.channel.id, "")
    assert base64.b64decode(json.loads(record.value)["body"]) == sent
    assert isinstance(specimen.platform.normalise(specimen.raw(record)), Unprocessable)


@every_meta
@pytest.mark.parametrize(
    "body",
    [b"", b"hello", b"{", b'{"a":1}x', b'{"a":"\xff"}', b'{"a":NaN}', b"{'a':1}", b"[" * 100_000],
    ids=lambda body: f"{len(body)} bytes",
)
def test_an_authentic_body_that_is_not_json_is_a_bad_request(name: str, body: bytes) -> None:
    specimen = specimens()[name]
    with pytest.raises(WebhookRejected) as refusal:
        specimen.accept(specimen.request(body))
    assert refusal.value.status == 400


# What an entry may have instead of its usual values; None leaves the member out.
ITEM = {"sender": {"id": "7"}, "recipient": {"id": "own"}, "timestamp": 1, "message": {"mid": "m", "text": "hello"}}
IDS: tuple[Any, ...] = ("own", "other", "", "x" * 512, "x" * 513, 17, -1, 1.0, True, [], "\ud83d", None)
TIMES: tuple[Any, ...] = (0, 1, 1_790_000_000_123, 253_402_300_800_000, 10**30, -1, 1.0, 0.5, "1", True, [], None)
MORE = "a member more"
IN_BYTES = re.compile(b'(, )?"a member more": 1')
ITEMS: tuple[Any, ...] = ([ITEM], [ITEM, "odd", ITEM], [], ITEM, 1, None)
MESSAGING = {"messenger": ("page", "page_id"), "instagram": ("instagram", "instagram_id")}


@pytest.mark.parametrize("name", MESSAGING)
def test_an_ordinary_entry_gives_the_records_that_an_odd_one_gives(name: str) -> None:
    specimen = specimens()[name]
    webhook_object, field = MESSAGING[name]
    channel = with_values(specimen.channel, **{field: ("own",)})

    def split(entry: dict[str, Any]) -> Accepted:
        body = json.dumps({"object": webhook_object, "entry": [entry]}).encode()
        return specimen.platform.split(body, channel, (channel,))

    for values in itertools.product(IDS, TIMES, ITEMS):
        members = zip(("id", "time", "messaging"), values, strict=True)
        entry = {member: value for member, value in members if value is not None}
        # One member more, and it is read member by member; only where the whole entry is kept does anybody see it.
        found, odd = split(entry), split({**entry, MORE: 1})
        seen = [msgspec.structs.replace(record, value=IN_BYTES.sub(b"", record.value)) for record in odd.records]
        assert (list(found.records), found.refused) == (seen, odd.refused), entry
