"""LINE webhooks: untrusted bytes → one record per event. Pure.

Signature: base64 HMAC-SHA256 of the raw body under the channel secret ("Verify webhook signature"). It has no time in
it, so a replayed body is caught later, by ``webhookEventId``.
"""

from collections.abc import Sequence
from typing import Any

from pydantic import JsonValue

from connectors.errors import WebhookRejected
from connectors.interface import Accepted, Channel, InboundRecord, WebhookRequest
from connectors.line import api
from connectors.shared import signing, splitting
from schemas.inbound import encode_raw, encode_whole


def accept(request: WebhookRequest, channel: Channel, channels: Sequence[Channel]) -> Accepted:
    """Prove and split; raises WebhookRejected: 405 not a POST, 401 no signature, 403 a wrong one, 400 not JSON."""
    if request.method != "POST":
        raise WebhookRejected("LINE only posts", status=405)
    signature = request.headers.get(api.SIGNATURE_HEADER)
    if not signature:
        raise WebhookRejected(f"no {api.SIGNATURE_HEADER} header", status=401)
    secret = signing.verified_base64(channel.all("channel_secret"), request.body, signature)
    if secret is None:
        raise WebhookRejected("the signature does not fit the body", status=403)
    siblings = [other for other in channels if secret in other.all("channel_secret")]
    return split(request.body, channel, siblings)


def split(body: bytes, channel: Channel, channels: Sequence[Channel]) -> Accepted:
    """One record per event, in order; JSON of another form is one record, kept whole.

    The events go to the channel whose ``bot_user_id`` is the body's destination, else to ``channel`` if that has none.
    Raises WebhookRejected (400) when the body is not JSON.
    """
    try:
        envelope = splitting.split_json(body, api.Envelope)
    except splitting.MalformedJsonError as error:
        raise WebhookRejected(str(error), status=400) from None
    if envelope is None:
        return Accepted((InboundRecord(channel.id, "", encode_whole(body)),))
    destination = envelope.destination if isinstance(envelope.destination, str) else None
    owner = _owner(destination, channel, channels)
    if owner is None:
        return Accepted((), refused=len(envelope.events))
    return Accepted(tuple([_record(bytes(slice_), owner.id, destination) for slice_ in envelope.events]))


def peer_of(event: Any) -> str:
    """Group or room id, else user id; empty when the event names none."""
    source = event.get("source") if isinstance(event, dict) else None
    kind = splitting.text_in(source, "type")
    return splitting.text_in(source, api.PEER_MEMBERS.get(kind or "", "userId")) or ""


def _owner(destination: str | None, channel: Channel, channels: Sequence[Channel]) -> Channel | None:
    for candidate in (channel, *channels):
        if destination is not None and candidate.first("bot_user_id") == destination:
            return candidate
    return None if channel.first("bot_user_id") else channel


def _record(slice_: bytes, channel: str, destination: str | None) -> InboundRecord:
    event = splitting.parse_slice(slice_)
    if event is splitting.UNREADABLE:
        return InboundRecord(channel, "", encode_whole(slice_))
    peer = peer_of(event)
    enclosing: dict[str, JsonValue] = {} if destination is None else {"destination": destination}
    return InboundRecord(channel, peer, encode_raw(slice_, enclosing=enclosing, peer=peer))
