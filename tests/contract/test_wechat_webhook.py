"""WeChat inbound: who is let in, in all modes of the console, and what one body becomes."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from connectors.errors import WebhookRejected
from connectors.interface import Challenge, Channel, Unprocessable, WebhookRequest
from connectors.wechat import PLATFORM
from connectors.wechat.happenings import HAPPENINGS
from connectors.wechat.messages import MESSAGES
from schemas.inbound import RawEvent
from schemas.registry import encode
from tests.contract.wechat_kit import (
    ACCOUNT,
    AES_KEY,
    APP_ID,
    CASES,
    OPENID,
    PLAIN,
    SECURE,
    TEXT,
    TOKEN,
    accepted,
    channel_of,
    events_of,
    post,
    query_of,
    raw_of,
    sealed_post,
)
from tests.fakes.wechat import sealed_text


def refusal(request: WebhookRequest, channel: Channel = PLAIN, *others: Channel) -> WebhookRejected:
    with pytest.raises(WebhookRejected) as rejected:
        PLATFORM.accept(request, channel, (channel, *others))
    return rejected.value


# The address is checked.


def test_the_check_of_the_address_gets_its_echo_bare() -> None:
    request = WebhookRequest("GET", {}, query_of(echostr="5837452"), b"")
    assert PLATFORM.accept(request, SECURE, (SECURE,)) == Challenge("5837452")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 401),
        (query_of(token="other", echostr="1"), 403),
        (query_of(echostr="1", nonce="n2"), 403),
        (query_of(echostr="1", signature="é\udcff"), 403),
        (query_of(), 400),
    ],
    ids=["no signature", "other token", "other nonce", "no ASCII", "no echo"],
)
def test_a_check_by_anybody_else_gets_no_echo(query: dict[str, str], status: int) -> None:
    assert refusal(WebhookRequest("GET", {}, query, b"")).status == status


def test_other_methods_are_refused() -> None:
    assert refusal(WebhookRequest("PUT", {}, query_of(), TEXT.encode())).status == 405


# Plain mode.


def test_the_documented_signature_opens() -> None:
    # Made with other tools: the three values, one a line, through `LC_ALL=C sort | tr -d '\n' | sha1sum`.
    signature = "f47a87aecf1a5d364229b5ca0f331aca062df91f"
    query = {"timestamp": "1409659589", "nonce": "263014780", "signature": signature}
    assert len(accepted(post(query=query), channel_of(token="Zz9")).records) == 1


@pytest.mark.parametrize("token", ["new", "old"])
def test_every_configured_token_opens(token: str) -> None:
    assert len(accepted(post(query=query_of(token=token)), channel_of(token=("new", "old"))).records) == 1


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 401),
        ({"timestamp": "1790000000", "nonce": "n1"}, 401),
        (query_of(signature=""), 403),
        (query_of(token="other"), 403),
        (query_of(timestamp="1790000001"), 403),
        (query_of(nonce="\udcff"), 403),
        (query_of(signature="ü"), 403),
    ],
    ids=["nothing", "no signature", "empty", "other token", "other time", "odd nonce", "no ASCII"],
)
def test_a_plain_body_without_its_proof_stores_nothing(query: dict[str, str], status: int) -> None:
    assert refusal(post(query=query)).status == status


def test_an_empty_configured_token_opens_nothing() -> None:
    assert refusal(post(query=query_of(token="")), channel_of(token=("",))).status == 403


def test_the_token_of_another_channel_does_not_open_this_one() -> None:
    assert refusal(post(query=query_of(token="theirs")), PLAIN, channel_of("other", token="theirs")).status == 403


def test_the_proof_is_asked_before_the_body_is_read() -> None:
    assert refusal(post("not XML", query_of(token="wrong"))).status == 403


# Secure mode.


def test_an_encrypted_message_is_stored_as_its_text() -> None:
    (record,) = accepted(sealed_post(), SECURE).records
    assert (record.channel, record.peer) == ("main", OPENID)
    assert raw_of(record).event == TEXT


def test_the_documented_form_of_the_key_is_read_as_documented() -> None:
    # The key is base64 without its "="; what it seals is 16 random bytes, the length, the text, the AppID.
    assert len(base64.b64decode(AES_KEY + "=")) == 32
    (record,) = accepted(sealed_post("<xml><MsgType>text</MsgType></xml>"), SECURE).records
    assert raw_of(record).event == "<xml><MsgType>text</MsgType></xml>"


@pytest.mark.parametrize("length", range(200, 233))
def test_every_length_of_padding_is_taken_off(length: int) -> None:
    xml = TEXT.replace("你好", "x" * length)
    (record,) = accepted(sealed_post(xml), SECURE).records
    assert raw_of(record).event == xml


@pytest.mark.parametrize("key", ["1" * 42 + "A", AES_KEY])
def test_every_configured_key_opens(key: str) -> None:
    assert len(accepted(sealed_post(key=key), channel_of(encoding_aes_key=("1" * 42 + "A", AES_KEY))).records) == 1


def test_a_message_for_another_app_id_is_refused() -> None:
    error = refusal(sealed_post(app_id="wx_somebody_else"), SECURE)
    assert (error.status, "app_id" in error.reason) == (403, True)


@pytest.mark.parametrize("key", ["B" * 43, "short", "abc", "Ä" * 43, "=" * 43])
def test_another_key_opens_nothing(key: str) -> None:
    assert refusal(sealed_post(), channel_of(encoding_aes_key=key)).status == 403


@pytest.mark.parametrize(
    ("padding", "is_good"),
    [(b"\x10" * 16, True), (b"\x01" * 15 + b"\x10", False), (b"\x00" * 16, False), (b"\x21" * 48, False)],
    ids=["sixteen", "one byte that fits", "none", "more than a block"],
)
def test_only_a_padding_as_documented_is_taken_off(padding: bytes, is_good: bool) -> None:
    # Spaces behind the text make whole blocks, so that only the padding decides.
    frame = 16 + 4 + len(TEXT.encode()) + len(APP_ID)
    text = TEXT.encode() + b" " * (-frame % 16)
    key = base64.b64decode(AES_KEY + "=")
    sealer = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    plain = bytes(16) + len(text).to_bytes(4, "big") + text + APP_ID.encode() + padding
    encrypted = base64.b64encode(sealer.update(plain) + sealer.finalize()).decode()
    request = post(f"<xml><Encrypt>{encrypted}</Encrypt></xml>", query_of(encrypted=encrypted))
    if is_good:
        assert len(accepted(request, SECURE).records) == 1
    else:
        assert refusal(request, SECURE).status == 403


def test_a_signature_over_another_text_is_refused() -> None:
    request = sealed_post()
    assert refusal(WebhookRequest("POST", {}, query_of(encrypted="other"), request.body), SECURE).status == 403


def test_the_plain_proof_alone_does_not_open_the_secure_mode() -> None:
    query = query_of(encrypted="x")
    del query["msg_signature"]
    error = refusal(post(query=query), SECURE)
    assert (error.status, "secure mode" in error.reason) == (403, True)
    assert refusal(post(sealed_post().body, query_of()), SECURE).status == 403


@pytest.mark.parametrize("encrypted", ["", "AAAA", "A" * 64, "=", "é", base64.b64encode(bytes(64)).decode()])
def test_an_encrypted_text_that_is_none_is_refused(encrypted: str) -> None:
    body = f"<xml><Encrypt>{encrypted}</Encrypt></xml>"
    assert refusal(post(body, query_of(encrypted=encrypted)), SECURE).status == 403


@pytest.mark.parametrize("body", ["", "no XML", "<xml/>", "<xml><Encrypt><a/></Encrypt></xml>"])
def test_without_an_encrypted_text_its_signature_proves_nothing(body: str) -> None:
    assert refusal(post(body, query_of(encrypted="")), SECURE).status == 403


def test_a_sealed_message_inside_a_sealed_message_is_not_opened() -> None:
    inner = f"<xml><Encrypt>{sealed_text(TEXT.encode(), app_id=APP_ID, encoding_aes_key=AES_KEY)}</Encrypt></xml>"
    assert refusal(sealed_post(inner), SECURE).status == 400


# Compatible mode: the way from plain to secure without a lost message.


def test_of_both_forms_a_channel_without_a_key_reads_the_plain_one() -> None:
    beside = TEXT.removeprefix("<xml>").removesuffix("</xml>")
    (record,) = accepted(sealed_post(beside=beside), PLAIN).records
    assert events_of(raw_of(record).event)[0].data.content.text == "你好"


def test_of_both_forms_a_channel_with_a_key_reads_the_proven_one() -> None:
    forged = TEXT.replace("你好", "forged").removeprefix("<xml>").removesuffix("</xml>")
    (record,) = accepted(sealed_post(beside=forged), SECURE).records
    assert raw_of(record).event == TEXT


def test_a_sealed_message_without_a_key_says_what_is_missing() -> None:
    error = refusal(sealed_post(), PLAIN)
    assert (error.status, "add encoding_aes_key" in error.reason) == (400, True)


# Several accounts behind one token.


def test_a_plain_message_goes_to_the_account_that_it_names() -> None:
    ours, theirs = channel_of("ours", original_id="gh_other"), channel_of("theirs", original_id=ACCOUNT)
    assert [record.channel for record in accepted(post(), ours, theirs).records] == ["theirs"]


def test_an_account_that_nobody_owns_is_refused_and_counted() -> None:
    found = accepted(post(), channel_of(original_id="gh_other"))
    assert (found.records, found.refused) == ((), 1)
    found = accepted(sealed_post(), channel_of(original_id="gh_other", encoding_aes_key=AES_KEY))
    assert (found.records, found.refused) == ((), 1)


def test_an_account_of_another_token_gets_nothing() -> None:
    other = channel_of("theirs", original_id=ACCOUNT, token="theirs")
    assert accepted(post(), channel_of(original_id="gh_other"), other).refused == 1


def test_a_sealed_message_goes_to_the_account_whose_key_and_app_id_fit() -> None:
    other = channel_of("theirs", app_id="wx_theirs", encoding_aes_key="1" * 42 + "A")
    request = sealed_post(key="1" * 42 + "A", app_id="wx_theirs")
    assert [record.channel for record in accepted(request, SECURE, other).records] == ["theirs"]


def test_a_plain_message_for_an_account_with_a_key_is_refused() -> None:
    theirs = channel_of("theirs", original_id=ACCOUNT, encoding_aes_key=AES_KEY)
    assert refusal(post(), PLAIN, theirs).status == 403


# What a body may be.

BOMB = '<!DOCTYPE xml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><xml><Content>&b;</Content></xml>'
FILE = '<!DOCTYPE xml [<!ENTITY f SYSTEM "file:///etc/passwd">]><xml><Content>&f;</Content></xml>'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"<xml>",
        b"<xml></xml><xml/>",
        b"<html/>",
        b'<x:xml xmlns:x="urn:x"/>',
        b"\xff\xfe<xml/>",
        "<xml>\ud800</xml>".encode("utf-8", "surrogatepass"),
        b"<xml>&unknown;</xml>",
        BOMB.encode(),
        FILE.encode(),
        b"<!DOCTYPE xml><xml/>",
        b"<xml>" + b"<a>" * 8 + b"</a>" * 8 + b"</xml>",
        b"<xml>" + b"<a/>" * 256 + b"</xml>",
        b"<xml>" + b"<a>" * 40_000,
    ],
    ids=lambda body: repr(body[:24]),
)
def test_what_is_not_wechats_xml_is_refused_as_bad_request(body: bytes) -> None:
    assert refusal(post(body)).status == 400


def test_limits_of_a_body_hold_at_the_limit() -> None:
    deep = b"<xml>" + b"<a>" * 7 + b"</a>" * 7 + b"</xml>"
    wide = b"<xml>" + b"<a/>" * 255 + b"</xml>"
    large = b"<xml><Content>" + b"x" * (128 * 1024 - 30) + b"</Content></xml>"
    assert all(len(accepted(post(body)).records) == 1 for body in (deep, wide, large))
    assert refusal(post(large + b" ")).status == 413


def test_a_byte_order_mark_and_a_declaration_are_no_mistake() -> None:
    body = b'\xef\xbb\xbf<?xml version="1.0" encoding="UTF-16"?>' + TEXT.encode()
    assert len(accepted(post(body)).records) == 1


def test_the_record_holds_the_text_as_it_came() -> None:
    xml = "<xml>\r\n <Content><![CDATA[bell \x07]]></Content > </xml>"
    (record,) = accepted(post(xml)).records
    assert raw_of(record).event == xml


def test_records_hold_no_secret() -> None:
    (record,) = accepted(sealed_post(), SECURE).records
    assert not any(secret.encode() in record.value for secret in (TOKEN, AES_KEY))
    assert raw_of(record).enclosing == {}


# What it means.


@pytest.mark.parametrize("case", [case for _, case in CASES], ids=[name for name, _ in CASES])
def test_a_message_becomes_its_events(case: dict[str, Any]) -> None:
    (record,) = accepted(post(case["xml"])).records
    assert record.peer == case["peer"]
    found = PLATFORM.normalise(raw_of(record))
    if isinstance(found, Unprocessable):
        assert found.reason == case["dead_letter"]
        return
    events = [json.loads(encode(event)) for event in found]
    assert [{name: event[name] for name in ("type", "occurred_at", "data")} for event in events] == case["events"]
    for event in events:
        assert event["conversation_id"] == f"wx_main_{case['peer']}"
        assert event["correlation_id"] == event["id"]
        assert event["recorded_at"] == "2026-09-21T14:15:00.555Z"
    assert len({event["id"] for event in events}) == len(events)


def test_every_kind_has_a_case_that_is_understood() -> None:
    understood = [case["xml"] for _, case in CASES if "events" in case and case["events"][0]["type"] != "unrecognised"]
    kinds = {name for name in MESSAGES if any(f"[CDATA[{name}]" in xml for xml in understood)}
    events = {name for name in HAPPENINGS if any(f"[cdata[{name}]" in xml.lower() for xml in understood)}
    assert (kinds, events) == (set(MESSAGES), set(HAPPENINGS))


def test_a_repeated_message_has_the_same_id_and_another_message_another() -> None:
    again = TEXT.replace("23000000000000001", "23000000000000002")
    ids = [events_of(xml)[0].id for xml in (TEXT, TEXT, again)]
    assert ids[0] == ids[1] != ids[2]


CLICK: str = dict(CASES)["events: a tap on the account's menu"]["xml"]
REPORT: str = dict(CASES)["events: a template message arrived"]["xml"]
NOVELTY: str = dict(CASES)["kept: an event that is not known"]["xml"]


@pytest.mark.parametrize(
    ("xml", "old", "new"),
    [
        (CLICK, "oEXAMPLE_openid_1", "oEXAMPLE_openid_2"),
        (CLICK, "1790000001", "1790000002"),
        (CLICK, "menu_products", "menu_faq"),
        (CLICK, "CLICK", "scancode_push"),
        (REPORT, "200163836", "200163837"),
        (NOVELTY, "test1@test", "test2@test"),
    ],
    ids=["sender", "second", "key", "event", "number of what was sent", "anything in what nobody knows"],
)
def test_events_without_an_id_are_told_apart_by_what_they_are(xml: str, old: str, new: str) -> None:
    ids = [events_of(text)[0].id for text in (xml, xml, xml.replace(old, new))]
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize(
    "raw",
    [
        {"event": None, "body": "AAAA"},
        {"event": {"a": 1}},
        {"event": "no XML"},
        {"event": "<xml>"},
        {"event": BOMB},
    ],
    ids=lambda raw: str(raw)[:20],
)
def test_a_record_that_no_intake_of_ours_wrote_is_a_dead_letter(raw: dict[str, Any]) -> None:
    given = {"platform": "wechat", "channel": "main", "peer": "", "received_at": 1, "enclosing": {}, "body": None}
    assert isinstance(PLATFORM.normalise(RawEvent(**{**given, **raw})), Unprocessable)
