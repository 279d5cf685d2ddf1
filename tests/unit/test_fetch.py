"""Stage fetch: one event per media whatever the platform does, bounded attempts, bounded calls, no secrets of time."""

import asyncio
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import FetchError
from connectors.interface import Blob, Channel, Contact, Download, Profile
from schemas import headers
from schemas.content import Content, MediaContent, StoryContent
from schemas.envelope import AnyEvent
from schemas.fetching import FetchRequest
from schemas.ids import derived_id
from schemas.registry import decode_event, encode
from streams.channels import Channels
from streams.engine.api import Output, Poison, Record
from streams.media_store import MediaStore
from streams.settings import Settings
from streams.stages.fetch import PROFILE_OUTAGE_S_MAX, Fetch
from streams.topics import Topics
from tests.harness.eventually import eventually

TOPICS = Topics("iris.", ["line"])
NOW_S = 1_790_000_000.0
CONVERSATION = "line_shop_U1"
BYTES = b"a picture"
CHANNEL = Channel("shop", "line", {}, api_base="http://127.0.0.1:1")
BUSY = FetchError("busy", code="unavailable", retryable=True)


class Scripted:
    """Answers with the next of its outcomes, the last one for ever; without any it is not asked. Is both sources."""

    def __init__(self, *outcomes: Blob | Profile | FetchError | Exception | None) -> None:
        self.outcomes = list(outcomes)
        self.asked: list[Any] = []
        self.working = 0
        self.most_working = 0
        self.gate: asyncio.Event | None = None
        self.is_closed = False

    async def media(self, content: Content, channel: Channel, download: Download, *, timeout_s: float) -> Blob:
        blob = await self._next(content)
        assert isinstance(blob, Blob)
        return blob

    async def profile(self, contact: Contact, channel: Channel, *, timeout_s: float) -> Profile | None:
        profile = await self._next(contact)
        assert profile is None or isinstance(profile, Profile)
        return profile

    async def _next(self, subject: Any) -> Blob | Profile | None:
        self.asked.append(subject)
        self.working += 1
        self.most_working = max(self.working, self.most_working)
        if self.gate is not None:
            await self.gate.wait()
        self.working -= 1
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def close(self) -> None:
        self.is_closed = True


class Nothing:
    """A platform that has neither media nor profiles to ask for."""

    async def close(self) -> None:
        return None


class Links:
    """A picture lies behind every link."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Mapping[str, str] | None]] = []
        self.is_closed = False

    async def __call__(self, url: str, channel: Channel, *, headers: Mapping[str, str] | None = None) -> Blob:
        self.asked.append((url, headers))
        return Blob(BYTES, "image/png")

    async def close(self) -> None:
        self.is_closed = True


class Stand:
    """The stage with a scripted platform; its sleeps move its clock."""

    def __init__(self, folder: Path, fetcher: Any, **settings: Any) -> None:
        self.now = NOW_S
        self.waits: list[float] = []
        self.downloads = Links()
        self.store = MediaStore(str(folder))
        self.settings = Settings(**settings)
        self.stage = Fetch(
            TOPICS,
            self.settings,
            Channels((CHANNEL,)),
            fetchers=lambda _: fetcher,
            download=self.downloads,
            store=self.store,
            clock=lambda: self.now,
            sleep=self.sleep,
        )

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    async def outputs(self, request: FetchRequest, *, key: str = CONVERSATION) -> list[Output]:
        await self.stage.start()
        return await self.stage.handle(None, [record(request, key=key)])  # type: ignore[arg-type]

    async def event(self, request: FetchRequest) -> AnyEvent:
        (output,) = await self.outputs(request)
        return decode_event(output.value)


def record(request: FetchRequest | bytes, *, key: str = CONVERSATION) -> Record:
    value = request if isinstance(request, bytes) else encode(request)
    carried = ((headers.TRACEPARENT, b"00-1-2-01"), (headers.RECEIVED_AT, b"1"))
    return Record(TOPICS.fetch, 0, 7, 0, key.encode(), value, carried)


def media(content: Content | None = None, **more: Any) -> FetchRequest:
    fields = {
        "id": "request-1",
        "conversation_id": CONVERSATION,
        "platform": "line",
        "channel": "shop",
        "what": "media",
        "contact_id": "U1",
        "message_id": "m1",
        "content": content or MediaContent(kind="image", media_id="7", caption="look"),
        "requested_at": 0,
        "causation_id": "event-1",
        "correlation_id": "event-1",
    }
    return FetchRequest.model_validate(fields | more)


def profile(**more: Any) -> FetchRequest:
    return media().model_copy(update={"what": "profile", "content": None, "message_id": None, **more})


async def test_a_stored_media_is_one_event_of_its_message(tmp_path: Path) -> None:
    stand = Stand(tmp_path, Scripted(Blob(BYTES, "image/png")))
    (output,) = await stand.outputs(media())
    event = decode_event(output.value)
    digest = hashlib.sha256(BYTES).hexdigest()
    assert (event.type, event.id) == ("media_stored", derived_id("request-1", "media_stored"))
    assert (event.causation_id, event.correlation_id, event.recorded_at) == ("event-1", "event-1", int(NOW_S * 1000))
    assert event.data.content == MediaContent(
        kind="image",
        media_id="7",
        caption="look",
        url=f"file://{tmp_path}/{digest[:2]}/{digest}",
        mime_type="image/png",
        sha256=digest,
        size_bytes=len(BYTES),
    )
    assert (output.topic, output.key) == (TOPICS.events, CONVERSATION.encode())
    assert output.headers == (
        (headers.SCHEMA, b"media_stored/1"),
        (headers.CHANNEL, b"shop"),
        (headers.TRACEPARENT, b"00-1-2-01"),
    )


async def test_attempts_go_on_while_there_is_hope_and_time(tmp_path: Path) -> None:
    stand = Stand(tmp_path, Scripted(BUSY, BUSY, BUSY, Blob(BYTES)))
    assert (await stand.event(media())).type == "media_stored"
    assert stand.waits == [0.5, 1.0, 2.0]


async def test_attempts_end_with_the_time_for_them(tmp_path: Path) -> None:
    stand = Stand(tmp_path, Scripted(BUSY), fetch_outage_s_max=10)
    event = await stand.event(media())
    assert (event.type, event.data.reason, event.data.detail) == ("media_failed", "unavailable", "busy")
    assert sum(stand.waits) <= 10 < sum(stand.waits) + stand.waits[-1] * 2
    assert event.id != derived_id("request-1", "media_stored"), "a later success is another fact"


async def test_what_is_hopeless_is_asked_once(tmp_path: Path) -> None:
    fetcher = Scripted(FetchError("no such id", code="gone"))
    stand = Stand(tmp_path, fetcher)
    assert (await stand.event(media())).data.reason == "gone"
    assert (len(fetcher.asked), stand.waits) == (1, [])


async def test_the_platforms_wait_is_kept(tmp_path: Path) -> None:
    patient = FetchError("slow down", retryable=True, retry_after_s=7.0)
    stand = Stand(tmp_path, Scripted(patient, Blob(BYTES)))
    await stand.event(media())
    assert stand.waits == [7.0]


async def test_a_wait_beyond_the_time_is_not_begun(tmp_path: Path) -> None:
    stand = Stand(tmp_path, Scripted(FetchError("tomorrow", retryable=True, retry_after_s=3_600.0)))
    assert (await stand.event(media())).type == "media_failed"
    assert stand.waits == []


async def test_a_profile_holds_its_conversation_up_for_a_moment_only(tmp_path: Path) -> None:
    stand = Stand(tmp_path, Scripted(BUSY))
    assert await stand.outputs(profile()) == []
    assert sum(stand.waits) <= PROFILE_OUTAGE_S_MAX


async def test_a_profile_is_one_event_of_its_contact(tmp_path: Path) -> None:
    fetcher = Scripted(Profile({"name": "Ann"}, "th"))
    event = await Stand(tmp_path, fetcher).event(profile(metadata={"username": "ann"}))
    assert (event.type, event.id) == ("profile_updated", derived_id("request-1", "profile_updated"))
    assert (event.data.contact_id, event.data.language, event.data.content) == ("U1", "th", {"name": "Ann"})
    assert fetcher.asked == [Contact("U1", "U1", {"username": "ann"})]


async def test_a_fact_of_any_length_does_not_burst_the_log(tmp_path: Path) -> None:
    event = await Stand(tmp_path, Scripted(Profile({"name": "A" * 1_000, "bio": "B" * 1_001}))).event(profile())
    assert event.data.content == {"name": "A" * 1_000}


@pytest.mark.parametrize("known", [None, Profile({})])
async def test_nothing_known_is_no_event(known: Profile | None, tmp_path: Path) -> None:
    assert await Stand(tmp_path, Scripted(known)).outputs(profile()) == []


@pytest.mark.parametrize("fetcher", [None, Nothing()], ids=["no module", "neither source"])
async def test_a_platform_without_sources_gives_what_lies_behind_its_links(fetcher: Any, tmp_path: Path) -> None:
    stand = Stand(tmp_path, fetcher)
    by_link = media(MediaContent(kind="image", url="https://platform/1"))
    assert (await stand.event(by_link)).type == "media_stored"
    assert stand.downloads.asked == [("https://platform/1", None)]
    assert (await stand.event(media())).data.reason == "no_source"
    assert await stand.outputs(profile()) == []


async def test_a_story_keeps_its_words_and_gets_our_link(tmp_path: Path) -> None:
    story = StoryContent(relation="reply", url="https://platform/1", text="nice")
    event = await Stand(tmp_path, None).event(media(story))
    assert event.data.content.text == "nice"
    assert event.data.content.url.startswith("file://")


@pytest.mark.parametrize(
    ("said", "content", "expected"),
    [
        ("image/webp", MediaContent(kind="image", media_id="7", mime_type="image/png"), "image/webp"),
        (None, MediaContent(kind="image", media_id="7", mime_type="Image/PNG; x=1"), "image/png"),
        (None, MediaContent(kind="file", media_id="7", file_name="offer.pdf"), "application/pdf"),
        (None, MediaContent(kind="file", media_id="7"), "application/octet-stream"),
    ],
)
async def test_the_type_is_the_servers_else_the_webhooks_else_that_of_the_name(
    said: str | None, content: MediaContent, expected: str, tmp_path: Path
) -> None:
    event = await Stand(tmp_path, Scripted(Blob(BYTES, said))).event(media(content))
    assert event.data.content.mime_type == expected


@pytest.mark.parametrize("mime_type", ["text/html", "message/rfc822", "multipart/mixed"])
async def test_a_page_in_place_of_a_picture_is_not_stored(mime_type: str, tmp_path: Path) -> None:
    event = await Stand(tmp_path, Scripted(Blob(b"<html>", mime_type))).event(media())
    assert (event.data.reason, list(tmp_path.iterdir())) == ("type_refused", [])  # noqa: ASYNC240 - a folder of a test


async def test_storage_that_is_down_is_tried_again_and_told(tmp_path: Path) -> None:
    (tmp_path / hashlib.sha256(BYTES).hexdigest()[:2]).write_text("a file where the folder should be")
    stand = Stand(tmp_path, Scripted(Blob(BYTES)))
    event = await stand.event(media())
    assert (event.type, event.data.reason) == ("media_failed", "storage")
    assert len(stand.waits) > 1


async def test_calls_to_one_platform_are_bounded_and_waits_are_not_calls(tmp_path: Path) -> None:
    fetcher = Scripted(Blob(BYTES))
    fetcher.gate = asyncio.Event()
    stand = Stand(tmp_path, fetcher, fetch_concurrency=2)
    await stand.stage.start()
    work = [asyncio.ensure_future(stand.event(media(id=f"request-{number}"))) for number in range(5)]

    def are_working() -> None:
        assert fetcher.working == 2

    await eventually(are_working, interval_s=0.001)
    fetcher.gate.set()
    assert [event.type for event in await asyncio.gather(*work)] == ["media_stored"] * 5
    assert fetcher.most_working == 2


async def test_fetchers_are_closed_with_the_stage(tmp_path: Path) -> None:
    fetcher = Scripted(Blob(BYTES))
    stand = Stand(tmp_path, fetcher)
    await stand.stage.start()
    await stand.stage.stop()
    assert (fetcher.is_closed, stand.downloads.is_closed) == (True, True)


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (b"\xff", CONVERSATION),
        (b"{}", CONVERSATION),
        (encode(media()), "line_shop_U2"),
        (encode(media(conversation_id="nonsense")), "nonsense"),
        (encode(media()).replace(b'"what":"media"', b'"what":"money"'), CONVERSATION),
    ],
    ids=["no json", "no members", "another key", "no conversation", "another thing"],
)
async def test_what_is_no_request_is_poison(value: bytes, key: str, tmp_path: Path) -> None:
    stage = Stand(tmp_path, None).stage
    broken = record(value, key=key)
    with pytest.raises(Poison):
        await stage.handle(None, [broken])  # type: ignore[arg-type]
    assert stage.on_poison(broken, ValueError()) == []


def test_a_media_that_was_given_up_ends_its_turns_wait(tmp_path: Path) -> None:
    stage = Stand(tmp_path, None).stage
    (output,) = stage.on_poison(record(media()), RuntimeError("boom"))
    event = decode_event(output.value)
    assert (event.type, event.data.reason, event.data.message_id) == ("media_failed", "given_up", "m1")
    assert stage.on_poison(record(profile()), RuntimeError("boom")) == []


def test_the_stage_reads_its_topic_and_keeps_no_table(tmp_path: Path) -> None:
    stage = Stand(tmp_path, None).stage
    assert (stage.name, stage.reads, stage.has_table) == ("fetch", ("iris.fetch",), False)
