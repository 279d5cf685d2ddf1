"""WeChat webhooks: untrusted bytes → one record per POST, its value the decrypted XML text. Pure.

Three modes of the console: plain, encrypted, and "compatible", whose bodies carry both forms. A channel with an
``encoding_aes_key`` takes encrypted ones only; else whoever saw one plain query could write whatever he likes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from connectors.errors import WebhookRejected
from connectors.interface import Accepted, Challenge, Channel, InboundRecord, WebhookRequest
from connectors.wechat import api, proof
from connectors.wechat.wire import MalformedXmlError, Members, parse, text_of
from schemas.inbound import encode_text

OF_THE_CHANNEL = frozenset({"masssendjobfinish"})
"""Events (in lower case) whose FromUserName is whoever pressed the button in the console, and no contact."""


@dataclass(frozen=True, slots=True)
class _Letter:
    """A body, parsed once: its text as it came, and what is in it."""

    text: str
    members: Members


def accept(request: WebhookRequest, channel: Channel, channels: Sequence[Channel]) -> Accepted | Challenge:
    """Prove and split.

    Raises WebhookRejected: 405 neither GET nor POST, 401 no signature, 403 a wrong one or a body that cannot be
    decrypted, 413 too large, 400 not WeChat's XML or a check without echostr.
    """
    if request.method == "GET":
        return _checked(request, channel)
    if request.method != "POST":
        raise WebhookRejected("WeChat only gets and posts", status=405)
    if "msg_signature" in request.query:
        return _encrypted(request, channel, channels)
    return _plain(request, channel, channels)


def split(body: bytes, channel: Channel, channels: Sequence[Channel]) -> Accepted:
    """The one record of a plain or decrypted body; raises WebhookRejected (400, 413).

    It goes to the channel whose ``original_id`` is the body's ToUserName, else to ``channel`` if that has none.
    """
    return _split(_letter(body), channel, channels)


def _checked(request: WebhookRequest, channel: Channel) -> Challenge:
    """The console checks the URL ("Access overview", 接入概述): the echostr comes back bare."""
    _proven(request, channel)
    if not request.query.get("echostr"):
        raise WebhookRejected("no echostr in the query", status=400)
    return Challenge(request.query["echostr"])


def _proven(request: WebhookRequest, channel: Channel) -> str:
    """The token that the query proves to know."""
    if "signature" not in request.query:
        raise WebhookRejected("no signature in the query", status=401)
    token = proof.verified(channel.all("token"), request.query, name="signature")
    if token is None:
        raise WebhookRejected("the signature does not fit token, timestamp and nonce", status=403)
    return token


def _plain(request: WebhookRequest, channel: Channel, channels: Sequence[Channel]) -> Accepted:
    siblings = _siblings(_proven(request, channel), channels)
    letter = _letter(request.body)
    owner = _owner(letter, channel, siblings)
    if owner is not None and owner.all("encoding_aes_key"):
        reason = f"channel {owner.id} has an encoding_aes_key and this body is not encrypted"
        raise WebhookRejected(f"{reason}; choose the secure mode in the console", status=403)
    return _split(letter, channel, siblings)


def _encrypted(request: WebhookRequest, channel: Channel, channels: Sequence[Channel]) -> Accepted:
    letter, encrypted = _sealed(request.body)
    token = proof.verified(channel.all("token"), request.query, name="msg_signature", encrypted=encrypted)
    if token is None:
        raise WebhookRejected("the msg_signature does not fit the encrypted text", status=403)
    siblings = (channel, *_siblings(token, channels))
    if not any(sibling.all("encoding_aes_key") for sibling in siblings):
        # In the compatible mode the plain form stands beside the encrypted one, under the same proof of the token.
        return _split(letter, channel, siblings)
    for sibling in siblings:
        for key in sibling.all("encoding_aes_key"):
            opened = proof.decrypted(encrypted, key)
            if opened is not None and opened.app_id in sibling.all("app_id"):
                return _split(_letter(opened.text), sibling, (sibling,))
    reason = f"the body cannot be decrypted for channel {channel.id}"
    raise WebhookRejected(f"{reason}; compare its encoding_aes_key and app_id with the console", status=403)


def _sealed(body: bytes) -> tuple[_Letter, str]:
    """The envelope and the encrypted text in it, which is what the proof is about: it has to be read first."""
    try:
        letter = _letter(body)
    except WebhookRejected as error:
        raise WebhookRejected(f"nothing that msg_signature could prove: {error.reason}", status=403) from None
    encrypted = text_of(letter.members, "Encrypt")
    if not encrypted:
        raise WebhookRejected("nothing that msg_signature could prove: the body has no Encrypt", status=403)
    return letter, encrypted


def _siblings(token: str, channels: Sequence[Channel]) -> tuple[Channel, ...]:
    return tuple(other for other in channels if token in other.all("token"))


def _split(letter: _Letter, channel: Channel, channels: Sequence[Channel]) -> Accepted:
    if text_of(letter.members, "MsgType") is None and "Encrypt" in letter.members:
        raise WebhookRejected("the body is encrypted; add encoding_aes_key to the channel", status=400)
    owner = _owner(letter, channel, channels)
    if owner is None:
        return Accepted((), refused=1, answer=api.ANSWER)
    peer = peer_of(letter.members)
    record = InboundRecord(owner.id, peer, encode_text(letter.text, enclosing={}, peer=peer))
    return Accepted((record,), answer=api.ANSWER)


def peer_of(members: Members) -> str:
    """The follower's OpenID; empty for what is about the account."""
    if (text_of(members, "Event") or "").lower() in OF_THE_CHANNEL:
        return ""
    return text_of(members, "FromUserName") or ""


def _owner(letter: _Letter, channel: Channel, channels: Sequence[Channel]) -> Channel | None:
    account = text_of(letter.members, "ToUserName")
    for candidate in (channel, *channels):
        if account is not None and candidate.first("original_id") == account:
            return candidate
    return None if channel.first("original_id") else channel


def _letter(body: bytes) -> _Letter:
    if len(body) > api.BODY_BYTES_MAX:
        raise WebhookRejected(f"body has more than {api.BODY_BYTES_MAX} bytes", status=413)
    try:
        text = body.decode("utf-8-sig")
        return _Letter(text, parse(text))
    except UnicodeDecodeError:
        raise WebhookRejected("body is not UTF-8", status=400) from None
    except MalformedXmlError as error:
        raise WebhookRejected(str(error), status=400) from None
