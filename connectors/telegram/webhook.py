"""The public side: who calls is proven by a shared value, and the one update of a body is handed on as it came. Pure.

Telegram signs nothing: the header proves only that the caller knows the value given to setWebhook. No handshake.
"""

from collections.abc import Sequence

import msgspec
from pydantic import JsonValue

from connectors.errors import WebhookRejected
from connectors.interface import Accepted, Channel, InboundRecord, WebhookRequest
from connectors.shared.signing import equal_to
from connectors.shared.splitting import MalformedJsonError, parse_slice, split_json
from connectors.telegram.api import SECRET_HEADER
from connectors.telegram.update import is_fixed, kind_and_item, peer_of
from schemas.inbound import encode_raw, encode_whole


def accept(request: WebhookRequest, channel: Channel, channels: Sequence[Channel]) -> Accepted:
    """The update as one record of the addressed channel: an update does not say which bot it is for.

    Raises WebhookRejected: 405 not a POST, 401 no secret, 403 a wrong one, 400 not JSON.
    """
    if request.method != "POST":
        raise WebhookRejected(f"{request.method} is not used by Telegram: it only sends POST", status=405)
    given = request.headers.get(SECRET_HEADER)
    if given is None:
        raise WebhookRejected(f"no {SECRET_HEADER} header; give setWebhook the channel's secret_token", status=401)
    if equal_to(channel.all("secret_token"), given) is None:
        raise WebhookRejected(f"header {SECRET_HEADER} is not the secret_token of this channel", status=403)
    return split(request.body, channel, channels)


def split(body: bytes, channel: Channel, channels: Sequence[Channel]) -> Accepted:
    """One record: the body byte for byte, or the body kept whole when it is JSON but no object,
    or holds a number that no double can.

    Raises WebhookRejected (400) when it is not JSON.
    """
    try:
        update_slice = split_json(body, msgspec.Raw)
    except MalformedJsonError as error:
        raise WebhookRejected(str(error), status=400) from None
    update = None if update_slice is None else parse_slice(bytes(update_slice))
    if update_slice is None or not isinstance(update, dict):
        return Accepted((InboundRecord(channel.id, "", encode_whole(body)),))
    kind, item = kind_and_item(update)
    peer = peer_of(kind, item)
    enclosing: dict[str, JsonValue] = {}
    if bot_id := _bot_id(channel):
        enclosing["bot_id"] = bot_id
    if bot_username := channel.first("bot_username").removeprefix("@"):
        enclosing["bot_username"] = bot_username
    record = encode_raw(bytes(update_slice), enclosing=enclosing, peer=peer)
    return Accepted((InboundRecord(channel.id, peer, record, is_fixed(item)),))


def _bot_id(channel: Channel) -> str:
    """The public half of the token ("Telegram Bot API", section "Authorizing your bot"): who the recipient is."""
    bot_id, colon, _ = channel.first("bot_token").partition(":")
    return bot_id if colon and bot_id.isascii() and bot_id.isdigit() else ""
