"""Instagram's webhook: untrusted bytes to raw records, raw records to events. Pure.

Reads bodies of ``object: instagram``; everything but the names below is common to Meta's platforms.
"""

from collections.abc import Sequence

from connectors.interface import Accepted, Challenge, Channel, Unprocessable, WebhookRequest
from connectors.shared.meta.entries import split_messaging
from connectors.shared.meta.item import Dialect
from connectors.shared.meta.normalise import normalise_messaging
from connectors.shared.meta.webhook import accept_signed
from schemas.envelope import AnyEvent
from schemas.inbound import RawEvent

DIALECT = Dialect(name="instagram", prefix="ig_", webhook_object="instagram", account_field="instagram_id")


def accept_request(request: WebhookRequest, channel: Channel, channels: Sequence[Channel]) -> Accepted | Challenge:
    """Answer the URL check, or prove the signature and split. Raises WebhookRejected."""
    return accept_signed(request, channel, channels, split=split_body)


def split_body(body: bytes, channel: Channel, channels: Sequence[Channel]) -> Accepted:
    """One record per item of an authentic body. Raises WebhookRejected (400) when it is not JSON."""
    return split_messaging(body, DIALECT, channel, channels)


def normalise_raw(raw: RawEvent) -> tuple[AnyEvent, ...] | Unprocessable:
    """Events of one record; total."""
    return normalise_messaging(raw, DIALECT)
