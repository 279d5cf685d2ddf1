"""A conversation whose life is a list of numbers: what people, platforms, the AI, `send` and the stage do in any order.

The log and the stage's outputs are apart: commands reach the other stages at once, events the log when an action says
so. Reads and writes a log and a table in memory.
"""

from collections.abc import Callable, Sequence

from schemas.content import MediaContent, StickerContent, TextContent
from schemas.envelope import AnyEvent
from schemas.events import (
    ContactJoined,
    ContactLeft,
    DeliveryReported,
    HumanReleased,
    HumanTookOver,
    MediaFailed,
    MediaStored,
    MessageDeleted,
    MessageEdited,
    MessageRead,
    MessageSuppressed,
    ReactionChanged,
    ReferralReceived,
)
from schemas.fetching import FetchRequest
from schemas.outbound import OutboundMessage
from schemas.registry import decode_command, decode_event, encode
from schemas.replies import ReplyRequest
from streams.conversation.fold import fold
from streams.conversation.memory import HISTORY, MARKS, ORPHAN, REPORT, TOLD
from tests.harness.memory_view import MemoryTable
from tests.unit.conversation_world import CONVERSATION, HOUR_MS, MINUTE_MS, PERSON, TOPICS, Talk

Action = tuple[int, int, int]
PASSES_MS = (1, 20, 700, MINUTE_MS, 11 * MINUTE_MS, 31 * MINUTE_MS, 25 * HOUR_MS, 8 * 24 * HOUR_MS)


class World(Talk):
    """A conversation whose actions are numbers. ``unwritten`` are the stage's events that the log does not have yet."""

    def __init__(self) -> None:
        super().__init__(context_messages=25, context_chars_max=12, pending_messages_max=3)
        self.position = 0
        self.checkpoint = (MemoryTable(), 0)
        self.unwritten: list[bytes] = []
        self.has_operated = False
        self.has_forgotten = False
        self.requests: list[ReplyRequest] = []
        self.messages: list[OutboundMessage] = []
        self.fetches: list[FetchRequest] = []
        self.in_flight: list[OutboundMessage] = []
        self.settled: list[OutboundMessage] = []
        self.actions: Sequence[Callable[[int, int], None]] = (
            self.writes,
            self.writes,
            self.taps,
            self.stage_reads,
            self.stage_reads,
            self.log_gets,
            self.ai_answers,
            self.send_starts,
            self.send_ends,
            self.platform_echoes,
            self.human_types,
            self.platform_reports,
            self.person_amends,
            self.copy_comes,
            self.time_passes,
            self.stage_saves,
            self.stage_crashes,
            self.person_comes_or_goes,
            self.operator_acts,
            self.shows,
            self.fetch_ends,
        )

    def act(self, action: Action) -> None:
        which, a, b = action
        self.actions[which % len(self.actions)](a, b)

    def happens(self, event: AnyEvent) -> None:
        self.append(encode(event))

    # People and platforms.

    def writes(self, a: int, b: int) -> None:
        text = ("hi", "สวัสดี", "a text that is longer than the context tells", "")[a % 4]
        metadata = {"in_group": True, "quote_token": f"quote{b}"} if b % 3 == 0 else {}
        at = self.now - b % 50
        event = self.said(text, f"m{self._count % 9}", occurred_at=at, reply_token=f"token{b}", metadata=metadata)
        self.happens(event.model_copy(update={"recorded_at": self.now - a % 3}))

    def shows(self, a: int, b: int) -> None:
        picture = MediaContent(kind="image", media_id=f"id{a}", caption="seen" if a % 2 else None)
        sticker = StickerContent(sticker_id=f"id{a}", media_id=f"id{a}" if a % 2 else None, emoji="😺")
        content = sticker if a % 4 > 1 else picture
        self.happens(self.said(content, f"m{self._count % 9}", occurred_at=self.now - b % 50))

    def taps(self, a: int, b: int) -> None:
        self.happens(self.tapped(f"choice{a}", callback_id=f"callback{b}"))

    def person_amends(self, a: int, b: int) -> None:
        known = [*self.in_flight, *self.settled]
        target = platform_id(known[b % len(known)]) if known and b % 3 == 0 else f"m{b % 9}"
        media = MediaContent(kind="image", media_id=f"id{b}", caption=f"edited {a}")
        content = media if b % 4 == 1 else TextContent(text=f"edited {'x' * (a % 20)}")
        self.happens(
            self.event(
                (
                    MessageEdited(message_id=target, sender_id=PERSON, content=content, revision=a % 3),
                    MessageDeleted(message_id=target),
                    ReactionChanged(message_id=target, sender_id=PERSON, emoji="👍", is_removed=a % 2 == 0),
                )[a % 3]
            )
        )

    def person_comes_or_goes(self, a: int, _: int) -> None:
        self.happens(
            self.event(
                (
                    ContactLeft(contact_id=PERSON, how="block"),
                    ContactJoined(contact_id=PERSON, how="unblock", metadata={"opens_window": True}),
                    ReferralReceived(sender_id=PERSON, metadata={"opens_window": True}),
                )[a % 3]
            )
        )

    def platform_echoes(self, a: int, _: int) -> None:
        known = [*self.in_flight, *self.settled]
        if known:
            message = known[a % len(known)]
            # What proves that a message is ours is the same in each of its echoes.
            proof = int(message.id[:4], 16) % 3
            tag = f"iris:{message.parts[0].id}" if proof == 1 else None
            self.happens(self.echoed(platform_id(message), "ours", tag=tag, is_ours=True if proof == 2 else None))

    def human_types(self, a: int, b: int) -> None:
        words, picture = TextContent(text="a human"), MediaContent(kind="image", url="https://platform/1")
        content = picture if a % 2 else words
        self.happens(self.echoed(f"h{self._count}", content=content, is_ours=(None, False)[b % 2]))

    def platform_reports(self, a: int, b: int) -> None:
        known = [*self.in_flight, *self.settled]
        if not known:
            return
        message = known[a % len(known)]
        status = ("sent", "delivered", "read", "failed")[b % 4]
        if b % 5 == 0:
            self.happens(self.event(MessageRead(reader_id=PERSON, watermark=self.now)))
        elif b % 5 == 1:
            self.happens(self.event(MessageRead(reader_id=PERSON, message_id=platform_id(message))))
        else:
            tag = message.parts[0].id if b % 5 == 2 else None
            report = DeliveryReported.model_validate(
                {"status": status, "message_id": platform_id(message), "tag": tag, "watermark": self.now}
            )
            self.happens(self.event(report))

    def operator_acts(self, a: int, b: int) -> None:
        # A person at a console sees what came of one act before the next.
        if self.has_operated:
            self.come_to_rest()
        self.has_operated = True
        until = None if b % 2 else self.now + 5 * MINUTE_MS
        self.now += 10
        self.happens(self.event(HumanReleased(how="operator") if a % 3 else HumanTookOver(until=until, how="operator")))
        self.now += 10

    def copy_comes(self, a: int, _: int) -> None:
        recent = [event for event in self.events[-12:] if self.now - event.recorded_at < self.limits.memory_ms]
        if recent:
            self.happens(recent[a % len(recent)])

    # The other stages.

    def ai_answers(self, a: int, b: int) -> None:
        if not self.requests:
            return
        request = self.requests.pop(0)
        if b % 5 == 0:
            self.happens(self.gave_up(request.id))
        else:
            insights = {"language": ("th", "en")[a % 2], f"likes{a % 3}": b}
            self.happens(self.replied(request.id, f"answer {a}" if a % 7 else "", user_insights=insights))

    def fetch_ends(self, a: int, b: int) -> None:
        """Within the wait or long after it, sometimes twice as after a crash, for good or not."""
        wanted = [request for request in self.fetches if request.what == "media"]
        if not wanted:
            return
        request = wanted[b % len(wanted)]
        if a % 3:
            self.fetches.remove(request)
        message_id = request.message_id or ""
        content = MediaContent(kind="image", url=f"memory://{request.id}", mime_type="image/png")
        stored, failed = (
            MediaStored(message_id=message_id, content=content),
            MediaFailed(message_id=message_id, reason="x"),
        )
        self.happens(self.event(failed if b % 4 == 0 else stored, cause=request.causation_id))

    def send_starts(self, a: int, _: int) -> None:
        if self.messages:
            message = self.messages.pop(0)
            if message not in [*self.in_flight, *self.settled]:
                self.in_flight.append(message)
                self.happens(self.started(message))

    def send_ends(self, a: int, b: int) -> None:
        if not self.in_flight:
            return
        message = self.in_flight.pop(0)
        if b % 4 == 0:
            self.happens(self.failed(message))
        elif b % 4 == 1:
            self.happens(self.unknown(message))
        elif b % 9 == 2:
            parts = tuple(part.id for part in message.parts)
            suppressed = MessageSuppressed(message_id=message.id, part_ids=parts, reason="not_renderable")
            self.happens(self.event(suppressed, cause=message.id))
        else:
            self.happens(self.sent(message, platform_id(message)))
        self.settled = [*self.settled, message][-4:]

    # The stage and its log.

    def stage_reads(self, a: int, _: int) -> None:
        """Commands are with the other stages at once, events in the log when `log_gets` says so."""
        records = self.log[self.position : self.position + 1 + a % 4]
        if not records:
            return
        for output in self.table.step(self.stage, records):
            if output.topic == TOPICS.events:
                self.unwritten.append(output.value)
            elif output.topic == TOPICS.ai_requests:
                self.requests.append(decode_command(output.value, ReplyRequest))
            elif output.topic == TOPICS.fetch:
                self.fetches.append(decode_command(output.value, FetchRequest))
            else:
                message = decode_command(output.value, OutboundMessage)
                # Answers to taps leave no trace in the log.
                self.messages += [message] if message.parts else []
        self.position += len(records)

    def log_gets(self, a: int, _: int) -> None:
        for _number in range(1 + a % 3):
            if self.unwritten:
                self.append(self.unwritten.pop(0))

    def all_is_written(self) -> None:
        while self.unwritten:
            self.append(self.unwritten.pop(0))

    def stage_saves(self, a: int, _: int) -> None:
        """State and offset are durable only after all outputs were acknowledged."""
        self.all_is_written()
        if a % 3:
            self.checkpoint = (self.table.copy(), self.position)
        else:
            # The state is durable, the offset was not committed any more.
            self.checkpoint = (self.table.copy(), self.checkpoint[1])

    def stage_crashes(self, a: int, _: int) -> None:
        """What was on its way to the log arrived up to some point."""
        for value in self.unwritten[: a % (len(self.unwritten) + 1)]:
            self.append(value)
        self.unwritten = []
        table, self.position = self.checkpoint
        self.table = table.copy()

    def time_passes(self, a: int, _: int) -> None:
        passes_ms = PASSES_MS[a % len(PASSES_MS)]
        end = self.now + passes_ms
        if passes_ms >= MINUTE_MS:
            self.all_is_written()
        if passes_ms > MINUTE_MS:
            self.come_to_rest()
            while (following := min((due for _, _, due in self.table.due(end)), default=end)) < end:
                self.now = max(self.now, following)
                self.come_to_rest()
            self.checkpoint = (self.table.copy(), self.position)
        if passes_ms > self.limits.memory_ms:
            self.requests, self.messages, self.in_flight, self.settled = [], [], [], []
            self.fetches = []
            self.has_forgotten = True
        self.now = end
        self.fire()

    def fire(self) -> bool:
        """What is due is announced, as often as the engine looks."""
        due = list(self.table.due(self.now))
        for key, name, at in due:
            self.append(self.stage.timer_output(key, name, at).value)
        return bool(due)

    def come_to_rest(self) -> None:
        """Read until nothing is on its way."""
        self.has_operated = False
        while self.position < len(self.log) or self.unwritten or self.fire():
            self.stage_reads(3, 0)
            self.log_gets(2, 0)

    def side_keys(self) -> tuple[dict[bytes, bytes], dict[bytes, bytes]]:
        """Marks, reports and waiting events of the table and of the fold, those that have expired too."""
        prefixes = (HISTORY, TOLD, REPORT, MARKS, ORPHAN)
        view = self.view
        view.now_ms = 0
        folded = fold(self.events, self.limits).get(CONVERSATION)
        if folded is None:
            return {}, view.dump(*prefixes)
        return dict(folded.memory.scan(b"")), view.dump(*prefixes)

    @property
    def events(self) -> list[AnyEvent]:
        return [decode_event(record.value) for record in self.log]


def platform_id(message: OutboundMessage) -> str:
    """The platform has ids of its own."""
    return f"p-{message.id}"
