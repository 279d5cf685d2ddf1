"""``iris.control``: what every process is to know; the last value of a key counts.

Keys: ``health/<platform>/<channel>``, and ``template/<platform>/<account>/<language>/<name>``. No value holds a
credential.
"""

from typing import Literal

from schemas.base import Model, Timestamp

HealthState = Literal["connected", "transient", "bad_credentials", "limited", "unsubscribed"]
"""``transient``: it may pass by itself; ``limited``: throttled, or a quota is used up; ``unsubscribed``: the platform
would deliver no webhook to us. The others speak for themselves."""


class ChannelHealth(Model):
    """How a channel is doing, and since when it is so."""

    state: HealthState
    detail: str = ""
    since: Timestamp


class TemplateState(Model):
    """What is known about a message template; ``is_approved`` None: nobody knows, so the platform is to judge."""

    name: str
    language: str
    status: str = ""
    is_approved: bool | None = None
    category: str = ""
    quality: str = ""
    reason: str = ""


def health_key(platform: str, channel: str) -> str:
    """Where a channel's health stands."""
    return f"health/{platform}/{channel}"


TEMPLATES = "template/"
"""What every template's key begins with."""


def template_prefix(platform: str, account: str) -> str:
    """What the keys of all templates of an account begin with."""
    return f"{TEMPLATES}{platform}/{account}/"


def template_key(platform: str, account: str, language: str, name: str) -> str:
    """Where a template's state stands."""
    return f"{template_prefix(platform, account)}{language}/{name}"
