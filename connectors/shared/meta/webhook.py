"""Proves who calls Meta's webhooks: the URL check and the signature. Pure.

Source: Meta Webhooks "Getting Started" (verification requests, validating payloads). One callback URL and one app
secret serve all accounts of an app.
"""

from collections.abc import Callable, Sequence

from connectors.errors import WebhookRejected
from connectors.interface import Accepted, Challenge, Channel, Field, WebhookRequest
from connectors.shared.signing import equal_to, verified_hex

SIGNATURE_HEADER = "x-hub-signature-256"
SIGNATURE_PREFIX = "sha256="

APP_SECRET = Field("app_secret", "the app secret from the app dashboard, Settings > Basic", is_secret=True)
VERIFY_TOKEN = Field("verify_token", "the text you typed into the webhook form as verify token", is_secret=True)
APP_ID = Field("app_id", "the app's id, which tells own echoes from other apps'", is_required=False)
GRAPH_VERSION = Field("graph_version", "Graph API version in place of the built-in one, like v26.0", is_required=False)


Split = Callable[[bytes, Channel, Sequence[Channel]], Accepted]
"""How a platform splits an authentic body."""


def accept_signed(
    request: WebhookRequest, channel: Channel, channels: Sequence[Channel], *, split: Split
) -> Accepted | Challenge:
    """Answer the URL check, or prove the signature and split. Raises WebhookRejected."""
    if request.method == "GET":
        return answer_challenge(request, channel)
    if request.method != "POST":
        raise WebhookRejected(f"method {request.method} is neither GET nor POST", status=405)
    return split(request.body, channel, proven_channels(request, channel, channels))


def answer_challenge(request: WebhookRequest, channel: Channel) -> Challenge:
    """The bare challenge for whoever knows the verify token; raises WebhookRejected (403) otherwise."""
    if request.query.get("hub.mode") != "subscribe":
        raise WebhookRejected("hub.mode is not subscribe: this is no URL check")
    if equal_to(channel.all("verify_token"), request.query.get("hub.verify_token", "")) is None:
        raise WebhookRejected(f"hub.verify_token is not the verify_token of channel {channel.id}")
    challenge = request.query.get("hub.challenge")
    if not challenge:
        raise WebhookRejected("hub.challenge is missing")
    return Challenge(challenge)


def proven_channels(request: WebhookRequest, channel: Channel, channels: Sequence[Channel]) -> tuple[Channel, ...]:
    """The channels for which the signature speaks: all that hold the app secret that made it, the URL's own first.

    Computed over the raw bytes, because Meta signs its escaped form of the text. Raises WebhookRejected (403).
    """
    given = request.headers.get(SIGNATURE_HEADER, "")
    if not given.startswith(SIGNATURE_PREFIX):
        raise WebhookRejected(f"{SIGNATURE_HEADER} is missing or does not start with {SIGNATURE_PREFIX}")
    secret = verified_hex(channel.all(APP_SECRET.name), request.body, given.removeprefix(SIGNATURE_PREFIX))
    if secret is None:
        raise WebhookRejected(f"{SIGNATURE_HEADER} does not fit the body and the app_secret of channel {channel.id}")
    if len(channels) == 1 and channels[0] is channel:
        return (channel,)
    others = (other for other in channels if other.id != channel.id and secret in other.all(APP_SECRET.name))
    return (channel, *others)
