"""`fetch` reads `iris.fetch`, gets media and profiles from the platforms; it writes `iris.conversation.events`.

It keeps no table: what it did it may do again, and the same bytes have the same name. A media is stored completely
before `media_stored` is written. What cannot be had is told by `media_failed`, and the turn goes on; a profile that
cannot be had is asked for again another day.
"""

import asyncio
import hashlib
import logging
import mimetypes
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from fnmatch import fnmatch
from itertools import chain, repeat
from typing import Any, TypeVar

from connectors.errors import FetchError
from connectors.interface import Blob, Channel, Contact, Downloads, Fetcher, MediaSource, ProfileSource
from connectors.shared.fetching import by_link
from schemas import headers as names
from schemas.content import Content, MediaContent
from schemas.events import EventData, MediaFailed, MediaStored, ProfileUpdated, wire_name
from schemas.fetching import FetchRequest
from schemas.ids import derived_id, split_conversation_id
from schemas.registry import EVENT_MODELS, LATEST_VERSION, SchemaError, decode_command, encode
from streams.channels import Channels
from streams.engine.api import ActiveView, Headers, Output, Poison, Record
from streams.media_store import MediaStore
from streams.settings import Settings
from streams.topics import Topics

PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Between attempts; the last one repeats until ``fetch_outage_s_max`` is over."""

PROFILE_OUTAGE_S_MAX = 5.0
"""A profile is not worth that the media behind it in the same conversation waits for longer."""

FACT_CHARS_MAX = 1_000
"""Of one fact of a profile; a longer one is left out, whoever wrote it there."""

DETAIL_CHARS_MAX = 300
ANY_TYPE = "application/octet-stream"

T = TypeVar("T")
log = logging.getLogger(__name__)


class Fetch:
    """Implements ``ActiveStage``. ``fetchers`` makes a platform's I/O half, None where it has none; ``clock`` gives
    seconds since the epoch."""

    name = "fetch"
    has_table = False

    def __init__(
        self,
        topics: Topics,
        settings: Settings,
        channels: Channels,
        *,
        fetchers: Callable[[str], Fetcher | None],
        download: Downloads,
        store: MediaStore,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.reads: tuple[str, ...] = (topics.fetch,)
        # A conversation that waits for its next attempt takes no platform's place: `_places` bounds the calls.
        self.concurrency = settings.inflight_records_max
        self._events = topics.events
        self._settings = settings
        self._channels = channels
        self._make_fetcher = fetchers
        self._download = download
        self._store = store
        self._clock = clock
        self._sleep = sleep
        self._types = tuple(pattern.strip().lower() for pattern in settings.media_types.split(","))
        self._fetchers: dict[str, Any] = {}
        self._places: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(settings.fetch_concurrency))

    async def start(self) -> None:
        """Make the fetchers of the configured channels."""
        for name in sorted({channel.platform for channel in self._channels.all}):
            self._fetchers[name] = self._make_fetcher(name)

    async def stop(self) -> None:
        """Close them, and the downloads."""
        fetchers, self._fetchers = self._fetchers, {}
        closing = (fetcher.close() for fetcher in fetchers.values() if fetcher is not None)
        await asyncio.gather(self._download.close(), *closing)

    async def handle(self, view: ActiveView, records: Sequence[Record]) -> list[Output]:
        """The event of one request; none for a profile of which nothing is known."""
        (record,) = records
        request = _decode(record)
        channel = self._channels.get(request.platform, request.channel)
        if request.what == "media":
            return [self._output(record, request, await self._media(request, channel))]
        profile = await self._profile(request, channel)
        return [] if profile is None else [self._output(record, request, profile)]

    def on_poison(self, record: Record, error: BaseException) -> list[Output]:
        """A media that was given up is told all the same, so that its turn does not wait."""
        try:
            request = _decode(record)
        except Poison:
            return []
        given_up = MediaFailed(message_id=request.message_id or "", reason="given_up", detail=type(error).__name__)
        return [self._output(record, request, given_up)] if request.what == "media" else []

    async def _media(self, request: FetchRequest, channel: Channel | None) -> MediaStored | MediaFailed:
        message_id, content = request.message_id or "", request.content
        if channel is None or content is None:
            return MediaFailed(message_id=message_id, reason="channel_not_configured" if content else "no_source")

        async def attempt() -> Content:
            blob = await self._bytes(content, channel)
            return await self._kept(content, blob)

        try:
            stored = await self._persist(attempt, channel.platform, outage_s_max=self._settings.fetch_outage_s_max)
        except FetchError as error:
            log.warning("media of %s: %s", request.conversation_id, error.reason)
            return MediaFailed(message_id=message_id, reason=error.code, detail=error.reason[:DETAIL_CHARS_MAX])
        return MediaStored(message_id=message_id, content=stored)

    async def _bytes(self, content: Content, channel: Channel) -> Blob:
        fetcher = self._fetchers.get(channel.platform)
        if isinstance(fetcher, MediaSource):
            timeout_s = self._settings.fetch_timeout_s
            return await fetcher.media(content, channel, self._download, timeout_s=timeout_s)
        return await by_link(content, channel, self._download)

    async def _kept(self, content: Content, blob: Blob) -> Content:
        """The content with our link, once its bytes are of a type that we keep, whole, and stored."""
        mime_type = _type_of(content, blob)
        if not any(fnmatch(mime_type, pattern) for pattern in self._types):
            raise FetchError(f"{mime_type} is not among IRIS_MEDIA_TYPES", code="type_refused")
        sha256 = hashlib.sha256(blob.data).hexdigest()
        if isinstance(content, MediaContent) and content.sha256 not in (None, sha256):
            raise FetchError("the bytes are not those that the platform announced", code="checksum", retryable=True)
        try:
            url = await self._store.put(blob.data, sha256)
        except OSError as error:
            raise FetchError(f"storage: {error}", code="storage", retryable=True) from error
        if isinstance(content, MediaContent):
            update = {"url": url, "mime_type": mime_type, "sha256": sha256, "size_bytes": len(blob.data)}
            return content.model_copy(update=update)
        return content.model_copy(update={"url": url})

    async def _profile(self, request: FetchRequest, channel: Channel | None) -> ProfileUpdated | None:
        fetcher = self._fetchers.get(request.platform)
        if channel is None or not isinstance(fetcher, ProfileSource):
            return None
        contact = Contact(request.contact_id, split_conversation_id(request.conversation_id)[2], request.metadata)
        timeout_s = self._settings.fetch_timeout_s
        try:
            profile = await self._persist(
                lambda: fetcher.profile(contact, channel, timeout_s=timeout_s),
                channel.platform,
                outage_s_max=min(PROFILE_OUTAGE_S_MAX, self._settings.fetch_outage_s_max),
            )
        except FetchError as error:
            log.info("profile of a contact of %s: %s", request.conversation_id, error.reason)
            return None
        if profile is None or not (profile.facts or profile.language):
            return None
        facts = {name: value for name, value in profile.facts.items() if len(str(value)) <= FACT_CHARS_MAX}
        return ProfileUpdated(contact_id=contact.id, content=facts, language=profile.language)

    async def _persist(self, attempt: Callable[[], Awaitable[T]], platform: str, *, outage_s_max: float) -> T:
        """Attempts until one succeeds, another could not, or the time is over; raises the last FetchError."""
        ends_at = self._clock() + outage_s_max
        pauses_s = chain(PAUSES_S, repeat(PAUSES_S[-1]))
        while True:
            try:
                async with self._places[platform]:
                    return await attempt()
            except FetchError as error:
                pause_s = max(next(pauses_s), error.retry_after_s or 0.0)
                if not error.retryable or self._clock() + pause_s > ends_at:
                    raise
                await self._sleep(pause_s)

    def _output(self, record: Record, request: FetchRequest, data: EventData) -> Output:
        kind, now_ms = wire_name(type(data)), int(self._clock() * 1000)
        event = EVENT_MODELS[kind](
            id=derived_id(request.id, kind),
            type=kind,
            conversation_id=request.conversation_id,
            platform=request.platform,
            channel=request.channel,
            occurred_at=now_ms,
            recorded_at=now_ms,
            causation_id=request.causation_id,
            correlation_id=request.correlation_id,
            data=data,
        )
        carried = [(name, value) for name, value in record.headers if name == names.TRACEPARENT]
        headers: Headers = (
            (names.SCHEMA, f"{kind}/{LATEST_VERSION}".encode()),
            (names.CHANNEL, request.channel.encode()),
            *carried,
        )
        return Output(self._events, record.key, encode(event), headers)


def _decode(record: Record) -> FetchRequest:
    try:
        request = decode_command(record.value, FetchRequest)
        split_conversation_id(request.conversation_id)
    except (SchemaError, ValueError) as error:
        raise Poison(f"no fetch request: {error}", record) from error
    if request.conversation_id.encode() != record.key:
        raise Poison(f"the key is not that of conversation {request.conversation_id!r}", record)
    return request


def _type_of(content: Content, blob: Blob) -> str:
    """What the server said, else the webhook, else the file's name."""
    if blob.mime_type is not None:
        return blob.mime_type
    if isinstance(content, MediaContent):
        named = mimetypes.guess_type(content.file_name or "")[0]
        return (content.mime_type or named or ANY_TYPE).partition(";")[0].strip().lower()
    return ANY_TYPE
