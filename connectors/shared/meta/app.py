"""Questions about a Meta app and the accounts that are subscribed to it, as planned calls. Pure.

Sources: Graph API "Debug Token", "Application: subscriptions", "Page: subscribed_apps".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from connectors.interface import Call, Channel
from connectors.shared.asking import question

FACEBOOK_BASE = "https://graph.facebook.com"
"""Where apps are asked about, also those of accounts that logged in with Instagram."""


@dataclass(frozen=True, slots=True)
class Surface:
    """What Meta's platforms differ by. ``object`` names the app's webhook and ``fields`` what it is to deliver;
    ``offered`` is asked for as well, and given up where Meta does not offer it to this app. ``token`` is a field of the
    channel."""

    object: str
    fields: tuple[str, ...]
    scopes: tuple[str, ...]
    token: str
    version: str
    offered: tuple[str, ...] = ()


def version_of(channel: Channel, surface: Surface) -> str:
    """The channel's own version of the Graph API, else the built-in one."""
    return channel.first("graph_version") or surface.version


def graph_url(channel: Channel, surface: Surface, path: str, *, base: str = FACEBOOK_BASE) -> str:
    """Absolute address below the channel's version."""
    return f"{(channel.api_base or base).rstrip('/')}/{version_of(channel, surface)}/{path}"


def as_app(name: str, method: str, channel: Channel, url: str, body: Any = None) -> Call:
    """A call in the app's own name: its token is its id and its secret."""
    headers = {"Authorization": f"Bearer {channel.first('app_id')}|{{secret:app_secret}}"}
    return Call(name, method, url, headers, body, part_ids=(), is_visible=False)


def debug_token(channel: Channel, surface: Surface) -> Call:
    """Whose the send token is, what it may do and until when."""
    url = graph_url(channel, surface, f"debug_token?input_token={{secret:{surface.token}}}")
    return as_app("debug_token", "GET", channel, url)


def get_webhooks(channel: Channel, surface: Surface) -> Call:
    """The app's webhooks, one for each object."""
    return as_app(
        "app webhooks", "GET", channel, graph_url(channel, surface, f"{channel.first('app_id')}/subscriptions")
    )


def set_webhook(channel: Channel, surface: Surface, url: str, fields: Sequence[str]) -> Call:
    """The app's webhook of this object leads to ``url``; Meta checks it at once, with the channel's verify token."""
    body = {
        "object": surface.object,
        "callback_url": url,
        "verify_token": "{secret:verify_token}",
        "fields": ",".join(fields),
        "include_values": True,
    }
    path = graph_url(channel, surface, f"{channel.first('app_id')}/subscriptions")
    return as_app("set app webhook", "POST", channel, path, body)


def get_subscribed(channel: Channel, surface: Surface, node: str, *, base: str = FACEBOOK_BASE) -> Call:
    """The apps that an account's events go to."""
    url = graph_url(channel, surface, f"{node}/subscribed_apps", base=base)
    return question("subscribed_apps", "GET", url, bearer=surface.token)


def subscribe(
    channel: Channel, surface: Surface, node: str, body: dict[str, Any], *, base: str = FACEBOOK_BASE
) -> Call:
    """This account's events go to the token's app from now on."""
    url = graph_url(channel, surface, f"{node}/subscribed_apps", base=base)
    return question("subscribe", "POST", url, body, bearer=surface.token)
