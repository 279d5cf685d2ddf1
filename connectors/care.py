"""What a platform may offer for the care of its channels: checks, registration, health and approved templates.

A sub-package ``connectors.<name>`` may offer the class ``Care`` in a module ``care`` and the class ``Templates`` in a
module ``templates``; both are found like ``Sender``, and a platform without them is listed as such. Nothing here does
I/O, and nothing that these classes return holds a credential.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from connectors.interface import Channel
from schemas.content import TemplateContent
from schemas.control import HealthState
from schemas.events import ChannelUpdated

Level = Literal["ok", "click", "warning", "unclear", "error"]
"""``click``: no API shows or does it, so a person has to; ``unclear``: the platform could not be asked now."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: what was found and, where something is to be done, what to do or click."""

    level: Level
    what: str
    todo: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """The state of one channel with its reason in words; ``warnings`` will matter later (an end date)."""

    state: HealthState
    detail: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Site:
    """Where this installation is reached: ``base`` is its public address without a path, None where it was not told;
    ``channels`` are all channels of the platform, some of which share one address at the platform."""

    base: str | None
    channels: Sequence[Channel] = ()

    def webhook_url(self, channel: Channel) -> str | None:
        """The address that the platform is to deliver this channel's webhooks to."""
        return None if self.base is None else self.base.rstrip("/") + webhook_path(channel)

    def is_ours(self, url: str, channel: Channel) -> bool:
        """Whether a webhook sent to ``url`` arrives here as one of this platform; by path alone without a ``base``."""
        known = {webhook_path(other) for other in (channel, *self.channels)}
        return any(url.endswith(path) if self.base is None else url == self.base.rstrip("/") + path for path in known)


def webhook_path(channel: Channel) -> str:
    """The path of a channel's webhook on the public port."""
    return f"/webhooks/{channel.platform}/{channel.id}"


class Care(Protocol):
    """One per process, made without arguments. Each call asks the platform a few questions and never raises for what
    the platform answers: that is what findings and health say."""

    async def check(self, channel: Channel, site: Site) -> tuple[Finding, ...]:
        """Look at credentials, webhook and limits; changes nothing."""
        ...

    async def register(self, channel: Channel, site: Site) -> tuple[Finding, ...]:
        """Make the platform deliver to ``site.webhook_url(channel)``, whose base is given. May be repeated freely."""
        ...

    async def health(self, channel: Channel) -> Health:
        """The state now. Called by one process of the installation only, so it may do what only one may do."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


@dataclass(frozen=True, slots=True)
class Template:
    """What is known about one message template. ``status`` is the platform's word in lower case; ``is_approved`` None:
    nobody knows. ``quality``, ``category`` and ``reason`` are empty where they are not told."""

    name: str
    language: str
    status: str = ""
    is_approved: bool | None = None
    category: str = ""
    quality: str = ""
    reason: str = ""
    body: str = ""


@dataclass(frozen=True, slots=True)
class TemplateDraft:
    """A template to be created. ``body`` holds ``{{1}}``, ``{{2}}`` … for its parameters, of which ``examples`` shows
    one value each, for the people who approve it."""

    name: str
    language: str
    category: str
    body: str
    examples: tuple[str, ...] = ()
    header: str = ""
    footer: str = ""


class TemplateRefused(ValueError):
    """The draft breaks a rule of the platform; the text names the rule and the fix."""


class Templates(Protocol):
    """One per process, made without arguments. The first three ask the platform; the others are pure."""

    default_language: str
    categories: tuple[str, ...]

    async def list(self, channel: Channel) -> tuple[Template, ...]:
        """Every template of the channel's account; raises SendError."""
        ...

    async def create(self, channel: Channel, draft: TemplateDraft) -> Template:
        """Hand a template in for approval; raises SendError, and TemplateRefused before anything is asked."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...

    def account_of(self, channel: Channel) -> str:
        """The account that owns the templates of this channel, which others may share; empty where none is known."""
        ...

    def key_of(self, content: TemplateContent) -> tuple[str, str]:
        """(name, language) of the template that this content would be sent with."""
        ...

    def news_of(self, update: ChannelUpdated) -> Template | None:
        """What a webhook tells about a template; what it leaves open is empty. None when it is about something else."""
        ...
