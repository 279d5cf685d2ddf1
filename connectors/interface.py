"""What a platform is to the rest of the product: a pure half and an I/O half.

Pure (``Platform``): ``accept`` proves who calls and splits a webhook body, ``normalise`` turns a raw event into events,
``plan`` turns a message into calls. No I/O, no clock, no secrets in what they return.
I/O (``Sender``): ``perform`` makes exactly one attempt of one planned call. ``MediaSource`` and ``ProfileSource`` are
optional: what a platform has of them, its class ``Fetcher`` offers.

A sub-package ``connectors.<name>`` offers ``PLATFORM`` (a ``Platform``) in its ``__init__`` and the class ``Sender`` in
its module ``sender``, where there is one the class ``Fetcher`` in its module ``fetcher``; importing the package must
not import the I/O half. What else is optional is in ``connectors.care``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import msgspec

from schemas.content import Content
from schemas.envelope import AnyEvent
from schemas.inbound import RawEvent
from schemas.outbound import OutboundMessage


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a ``[[channels]]`` table: ``is_secret`` values are given as ``env:NAME`` or ``file:PATH``."""

    name: str
    help: str
    is_secret: bool = False
    is_required: bool = True


@dataclass(frozen=True, slots=True)
class Channel:
    """A configured account. ``values`` holds every field of the platform, resolved; several values mean rotation:
    all are valid inbound, the first is used outbound."""

    id: str
    platform: str
    values: Mapping[str, tuple[str, ...]] = field(repr=False)
    api_base: str | None = None
    policy: Mapping[str, Any] = field(default_factory=dict)

    def all(self, name: str) -> tuple[str, ...]:
        """Every configured value of a field, newest first; empty when it is not set."""
        return self.values.get(name, ())

    def first(self, name: str) -> str:
        """The value used outbound; empty when it is not set."""
        values = self.values.get(name)
        return values[0] if values else ""


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """``headers`` have lower-case names; ``query`` keeps the last of repeated names; ``body`` is as received."""

    method: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Challenge:
    """The platform checks the URL: answer 200 with this text, store nothing."""

    text: str


class InboundRecord(msgspec.Struct, frozen=True):
    """One record for ``iris.inbound.<platform>``: its channel, its peer (empty: the channel's own key), its value
    (made by ``schemas.inbound.encode_*``).

    Where the person has another identity by now, the record goes to the conversation of that one, unless ``is_fixed``:
    then it is a fact about that very conversation (that it moved, what became of what was sent from it).
    """

    channel: str
    peer: str
    value: bytes
    is_fixed: bool = False


class Accepted(msgspec.Struct, frozen=True):
    """All records of one body in its own order. ``refused`` counts entries that belong to no configured channel.
    ``answer`` is the body of the 200."""

    records: tuple[InboundRecord, ...]
    refused: int = 0
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Unprocessable:
    """A raw event that can belong to no conversation; goes to the dead letters with this reason."""

    reason: str


@dataclass(frozen=True, slots=True)
class Window:
    """What the platform allows at ``now_ms``: the reply token as long as it is fresh and unspent."""

    now_ms: int
    reply_token: str | None = None
    last_inbound_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One API call, covering 1..n parts in order.

    ``url`` and ``headers`` hold ``{secret:NAME}`` where a channel's credential belongs; ``perform`` fills it in and
    ``iris render`` prints ``***``. ``url`` is absolute. Calls that no user can see (typing, callback answers) have
    ``is_visible`` False and cover no part. ``changes`` say what could not be rendered as asked,
    in words of ours and never in the message's own: they are logged outside of the content.
    ``idempotency_key`` is set where the platform takes one, and where a repeat changes nothing (a reaction, an edit):
    such a call may be repeated safely within 24 h.
    """

    name: str
    method: str
    url: str
    headers: Mapping[str, str]
    body: Any
    part_ids: tuple[str, ...]
    is_visible: bool = True
    idempotency_key: str | None = None
    changes: tuple[str, ...] = ()
    uses_reply_token: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """The platform took the call. ``message_ids`` in part order, as far as it names them."""

    message_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Attempts:
    """How often one call is tried and how long one try may take."""

    count: int
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Blob:
    """A media's bytes. ``mime_type`` has no parameters; None when nobody said."""

    data: bytes = field(repr=False)
    mime_type: str | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """Whose profile: ``peer`` is that of the conversation; ``metadata`` what their message told beside its content."""

    id: str
    peer: str
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Profile:
    """``facts`` are JSON: ``name``, ``username``, ``picture_url`` and whatever else the platform tells, none of it sure
    to be there. ``language`` is a BCP 47 tag, as the platform has it."""

    facts: Mapping[str, Any]
    language: str | None = None


class Platform(Protocol):
    """The pure half. ``prefix`` starts conversation ids; ``answer_within_s`` is the platform's own limit for webhooks;
    ``reply_token_life_s`` is 0 where there is none; ``capabilities`` is told to the AI."""

    name: str
    prefix: str
    answer_within_s: float
    reply_token_life_s: float
    fields: tuple[Field, ...]
    attempts: Attempts
    capabilities: Mapping[str, Any]

    def accept(self, request: WebhookRequest, channel: Channel, channels: Sequence[Channel]) -> Accepted | Challenge:
        """Prove who calls and split. ``channel`` is the one the URL names; ``channels`` are all of this platform.

        Raises WebhookRejected and nothing else.
        """
        ...

    def split(self, body: bytes, channel: Channel, channels: Sequence[Channel]) -> Accepted:
        """Split an authentic body; ``accept`` calls it after the proof, ``iris inspect`` without one.

        Raises WebhookRejected (status 400) when the body is not of this platform's form at all.
        """
        ...

    def normalise(self, raw: RawEvent) -> tuple[AnyEvent, ...] | Unprocessable:
        """Events of one raw event, in order; total: unknown kinds become ``unrecognised``."""
        ...

    def plan(self, message: OutboundMessage, window: Window, channel: Channel) -> tuple[Call, ...]:
        """Calls in order, the nearest faithful form of every part; total."""
        ...


@runtime_checkable
class AnonymousReports(Protocol):
    """Optional, of a ``Platform`` whose reports may name neither what was sent along nor a person. Each message to such
    a peer costs one more record on the log."""

    def may_report_anonymously(self, peer: str) -> bool:
        """Whether a report of what was sent to this peer may be such a one."""
        ...


class Sender(Protocol):
    """The I/O half: one per process, shared by all channels of the platform."""

    async def perform(self, call: Call, channel: Channel, *, timeout_s: float) -> Receipt:
        """Exactly one attempt; raises SendError."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


class Download(Protocol):
    """Gets what lies behind a link, safely: see ``connectors.shared.download``. Nothing in ``url`` is filled in,
    because links come from strangers; ``headers`` go to the link's own host only."""

    async def __call__(self, url: str, channel: Channel, *, headers: Mapping[str, str] | None = None) -> Blob:
        """One attempt; raises FetchError."""
        ...


class Downloads(Download, Protocol):
    """A ``Download`` that holds connections."""

    async def close(self) -> None:
        """Release them."""
        ...


@runtime_checkable
class Uploader(Protocol):
    """Optional, of a ``Sender``: it sends media that it uploads itself. What is to be uploaded a plan marks by
    ``connectors.shared.uploads.Upload``."""

    def upload_from(self, download: Download) -> None:
        """Where the bytes come from; told once, before the first call."""
        ...


@runtime_checkable
class MediaSource(Protocol):
    """Optional. Where a platform has none, a content's own link is all there is."""

    async def media(self, content: Content, channel: Channel, download: Download, *, timeout_s: float) -> Blob:
        """One attempt, with a new link where the old one is dead; raises FetchError. ``timeout_s`` is for each call
        that asks for a link; the download has its own."""
        ...


@runtime_checkable
class ProfileSource(Protocol):
    """Optional."""

    async def profile(self, contact: Contact, channel: Channel, *, timeout_s: float) -> Profile | None:
        """One attempt; None when the platform tells nothing about this contact. Raises FetchError."""
        ...


class Fetcher(Protocol):
    """One per process, shared by all channels of the platform; a ``MediaSource``, a ``ProfileSource`` or both."""

    async def close(self) -> None:
        """Release connections."""
        ...
