"""Stage respond: one reply event per turn, whatever the AI does, however often the request comes, whenever we die."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import orjson
import pytest

from schemas.envelope import AnyEvent
from schemas.ids import derived_id
from schemas.registry import decode_event, encode
from schemas.replies import AIAnswer, ReplyRequest
from streams.ai.attempts import FRESH, Progress
from streams.ai.client import AIClient, OnRetry, Reply
from streams.ai.errors import AIError, AIRefused
from streams.engine.api import ActiveStage, Headers, Output, Poison, Record
from streams.settings import Settings
from streams.stages.respond import REMEMBERED_MS, Request, Respond
from streams.topics import Topics
from tests.fakes.ai import FakeAI
from tests.harness.eventually import eventually
from tests.unit.ai_samples import CONVERSATION, NOW_MS, question, request

TOPICS = Topics("iris.", ["line"])
SETTINGS = Settings(ai_call_timeout_s=3.0, ai_turn_timeout_s=15.0)
NOW_S = NOW_MS / 1000
ASKED_AT = NOW_S + 0.020
HEADERS: Headers = (
    ("iris-schema", b"reply_request/1"),
    ("iris-channel", b"shop"),
    ("iris-received-at", b"%.3f" % (NOW_MS + 8.5)),
    ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
)


class Table:
    """What survives a crash: values with their time of expiry."""

    def __init__(self) -> None:
        self.durable: dict[bytes, tuple[bytes, int | None]] = {}


class StepView:
    """One step's view of a table: its writes are durable from ``commit`` on."""

    key = CONVERSATION.encode()

    def __init__(self, table: Table) -> None:
        self._table = table
        self._writes: dict[bytes, tuple[bytes, int | None]] = {}

    def get(self, name: bytes = b"") -> bytes | None:
        found = self._writes.get(name) or self._table.durable.get(name)
        return found[0] if found else None

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        merged = self._table.durable | self._writes
        return ((name, merged[name][0]) for name in sorted(merged) if name.startswith(prefix))

    def put(self, name: bytes, value: bytes, *, expires_at_ms: int | None = None) -> None:
        self._writes[name] = (value, expires_at_ms)

    def delete(self, name: bytes = b"") -> None:
        raise AssertionError("the stage deletes nothing")

    def set_timer(self, name: str, due_ms: int | None) -> None:
        raise AssertionError("the stage has no timers")

    async def commit(self, outputs: Sequence[Output] = ()) -> None:
        self._table.durable.update(self._writes)

    async def announce(self, outputs: Sequence[Output]) -> None:
        raise AssertionError("the stage announces nothing")


class CrashError(BaseException):
    """The process dies here."""


class ScriptedAI:
    """Answers each turn with the next of its outcomes; ``calls`` are what it was asked."""

    def __init__(self, *outcomes: AIAnswer | AIError | CrashError, retries: Sequence[Progress] = ()) -> None:
        self.outcomes = list(outcomes)
        self.retries = retries
        self.calls: list[dict[str, Any]] = []
        self.is_down = False
        self.is_open = False

    async def start(self) -> None:
        self.is_open = True

    async def stop(self) -> None:
        self.is_open = False

    async def ask(
        self, question: Any, *, deadline_s: float, progress: Progress = FRESH, on_retry: OnRetry | None = None
    ) -> Reply:
        self.calls.append({"question": question, "deadline_s": deadline_s, "progress": progress})
        for step in self.retries:
            assert on_retry is not None
            await on_retry(step)
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, BaseException):
            raise outcome
        return Reply(outcome, progress.attempts + 1, ASKED_AT, ASKED_AT + 1.5)


def record(value: ReplyRequest | bytes, headers: Headers = HEADERS, *, key: str = CONVERSATION) -> Record:
    encoded = value if isinstance(value, bytes) else encode(value)
    return Record(TOPICS.ai_requests, 3, 17, NOW_MS, key.encode(), encoded, headers)


def stage(ai: ScriptedAI, *, now_s: float = NOW_S) -> Respond:
    return Respond(TOPICS, SETTINGS, ai, clock=lambda: now_s)


async def step(respond: Respond, table: Table, source: Record) -> list[Output]:
    """What the engine does: outputs, then state."""
    view = StepView(table)
    outputs = await respond.handle(view, [source])
    await view.commit(outputs)
    return outputs


def event_of(outputs: Sequence[Output]) -> AnyEvent:
    (output,) = outputs
    assert output.topic == TOPICS.events
    assert output.key == CONVERSATION.encode()
    return decode_event(output.value)


async def test_an_answer_becomes_one_event_with_times_and_headers() -> None:
    outputs = await step(stage(ScriptedAI(AIAnswer(response_text="hi"))), Table(), record(request()))
    event = event_of(outputs)
    assert event.type == "reply_generated"
    assert event.id == derived_id("turn-1", "reply")
    assert (event.conversation_id, event.platform, event.channel) == (CONVERSATION, "line", "shop")
    assert (event.causation_id, event.correlation_id) == ("turn-1", "first-event")
    assert event.recorded_at == event.occurred_at == NOW_MS
    assert event.data.content.response_text == "hi"
    assert (event.data.turn_id, event.data.attempts) == ("turn-1", 1)
    assert (event.data.asked_at, event.data.answered_at) == (ASKED_AT, ASKED_AT + 1.5)
    assert event.data.own_ms_before_ai == pytest.approx(20 - 8.5, abs=0.01)
    assert outputs[0].headers == (("iris-schema", b"reply_generated/1"), ("iris-channel", b"shop"), *HEADERS[2:])


@pytest.mark.parametrize("headers", [(), (("iris-received-at", b"noon"),), (("iris-received-at", b"nan"),)])
async def test_own_time_is_unknown_where_no_webhook_started_the_turn(headers: Headers) -> None:
    outputs = await step(stage(ScriptedAI(AIAnswer(response_text="hi"))), Table(), record(request(), headers))
    assert event_of(outputs).data.own_ms_before_ai is None


async def test_a_failure_becomes_one_event_with_its_reason() -> None:
    error = AIRefused("rate_limited", "the service answered 429")
    error.attempts = 2
    event = event_of(await step(stage(ScriptedAI(error)), Table(), record(request())))
    assert event.type == "reply_failed"
    assert (event.data.turn_id, event.data.reason, event.data.attempts) == ("turn-1", "rate_limited", 2)
    assert event.data.detail == "the service answered 429"
    assert event.id == derived_id("turn-1", "reply"), "both outcomes have one id, so that the first in the log counts"


@pytest.mark.parametrize("outcome", [AIAnswer(response_text="hi"), AIRefused("refused")])
async def test_a_settled_turn_is_neither_asked_nor_answered_again(outcome: AIAnswer | AIError) -> None:
    table, ai = Table(), ScriptedAI(outcome)
    await step(stage(ai), table, record(request()))
    assert await step(stage(ai), table, record(request())) == []
    assert len(ai.calls) == 1


async def test_each_turn_of_a_conversation_is_answered() -> None:
    table, ai = Table(), ScriptedAI(AIAnswer(response_text="one"), AIAnswer(response_text="two"))
    first = await step(stage(ai), table, record(request(turn_id="turn-1")))
    second = await step(stage(ai), table, record(request(turn_id="turn-2")))
    assert [event_of(outputs).data.content.response_text for outputs in (first, second)] == ["one", "two"]


async def test_a_turn_is_remembered_for_longer_than_its_request_is_kept() -> None:
    table = Table()
    await step(stage(ScriptedAI(AIAnswer(response_text="hi"))), table, record(request()))
    assert {expiry for _, expiry in table.durable.values()} == {NOW_MS + REMEMBERED_MS}
    assert REMEMBERED_MS > 86_400_000


async def test_the_question_goes_to_the_ai_as_converse_wrote_it() -> None:
    ai = ScriptedAI(AIAnswer(response_text="hi"))
    asked = question("ดี", history=("a", "b"))
    await step(stage(ai), Table(), record(request(question=asked)))
    assert ai.calls[0]["question"] == encode(asked)


@pytest.mark.parametrize(
    ("deadline_in_s", "expected_s"),
    [(15.0, 15.0), (4.0, 4.0), (3_600.0, 15.0), (0.5, 3.0), (0.0, 3.0), (-600.0, 3.0)],
    ids=["whole", "partly used up", "beyond the setting", "nearly over", "just over", "long over"],
)
async def test_a_turn_has_its_own_deadline_and_a_late_one_the_time_of_one_call(
    deadline_in_s: float, expected_s: float
) -> None:
    ai = ScriptedAI(AIAnswer(response_text="hi"))
    late = request(deadline_ms=NOW_MS + int(deadline_in_s * 1000))
    event = event_of(await step(stage(ai), Table(), record(late)))
    assert event.type == "reply_generated"
    assert ai.calls[0]["deadline_s"] == pytest.approx(expected_s)


async def test_a_late_turn_does_not_wait_for_a_service_that_is_down() -> None:
    ai = ScriptedAI()
    ai.is_down = True
    event = event_of(await step(stage(ai), Table(), record(request(deadline_ms=NOW_MS - 1))))
    assert (event.type, event.data.reason, event.data.attempts) == ("reply_failed", "deadline", 0)
    assert ai.calls == []


async def test_a_service_that_is_down_is_still_asked_in_time() -> None:
    ai = ScriptedAI(AIAnswer(response_text="hi"))
    ai.is_down = True
    assert event_of(await step(stage(ai), Table(), record(request()))).type == "reply_generated"


async def test_progress_is_durable_before_the_wait_and_taken_up_after_a_crash() -> None:
    waiting = Progress(attempts=1, asked_at=NOW_S + 0.1, not_before=NOW_S + 2.5)
    table = Table()
    await dying_step(ScriptedAI(CrashError(), retries=[waiting]), table)
    ai = ScriptedAI(AIAnswer(response_text="hi"))
    event = event_of(await step(stage(ai, now_s=NOW_S + 1), table, record(request())))
    assert ai.calls[0]["progress"] == waiting
    assert ai.calls[0]["deadline_s"] == pytest.approx(14.0), "a restart does not move the deadline"
    assert event.data.attempts == 2


async def dying_step(ai: ScriptedAI, table: Table) -> None:
    """A step that never comes to its end: only what was committed midway survives."""
    with pytest.raises(CrashError):
        await stage(ai).handle(StepView(table), [record(request())])


async def test_a_turn_that_was_tried_before_gets_no_time_beyond_its_deadline() -> None:
    table = Table()
    await dying_step(ScriptedAI(CrashError(), retries=[Progress(attempts=2, asked_at=NOW_S)]), table)
    ai = ScriptedAI()
    event = event_of(await step(stage(ai, now_s=NOW_S + 60), table, record(request())))
    assert (event.type, event.data.reason, event.data.attempts) == ("reply_failed", "deadline", 2)
    assert ai.calls == []


async def test_a_restart_in_the_wait_does_not_undercut_it() -> None:
    """With the real client: the process is stopped while it waits as the service asked, and another one goes on."""
    fake, table = FakeAI(), Table()
    url = await fake.start()
    fake.fail("rate", times=1, retry_after_s=0.8)
    source = record(request(deadline_ms=int(time.time() * 1000) + 15_000))

    def worker() -> Respond:
        return Respond(TOPICS, SETTINGS, AIClient(url, SETTINGS))

    first, second = worker(), worker()
    await first.start()
    in_hand = asyncio.ensure_future(step(first, table, source))

    def is_waiting() -> None:
        assert table.durable

    await eventually(is_waiting, interval_s=0.01)
    in_hand.cancel()
    await asyncio.gather(in_hand, return_exceptions=True)
    await first.stop()
    await second.start()
    event = event_of(await step(second, table, source))
    await second.stop()
    await fake.stop()
    assert [asked["fault"] for asked in fake.journal] == ["rate", None]
    assert fake.journal[1]["at"] - fake.journal[0]["at"] >= 0.8
    assert (event.data.attempts, event.data.content.response_text) == (2, "re: hello")
    assert event.data.asked_at <= fake.journal[0]["at"]


def changed(**changes: Any) -> bytes:
    fields = orjson.loads(encode(request()))
    fields.update(changes)
    return orjson.dumps({name: value for name, value in fields.items() if value is not ...})


POISON = {
    "no json": b"\xff\x00",
    "half": encode(request())[:-9],
    "array": b"[]",
    "id is missing": orjson.dumps({"conversation_id": CONVERSATION}),
    "id is a number": changed(id=7),
    "unknown member": changed(surprise=1),
    "question is a text": changed(question="hello"),
    "question is null": changed(question=None),
    "deadline without an offset": changed(deadline="2026-11-23T10:00:00"),
    "deadline is a number": changed(deadline=1),
    "another conversation": changed(conversation_id="line_shop_U2"),
}


@pytest.mark.parametrize("value", POISON.values(), ids=POISON.keys())
async def test_a_request_that_is_none_is_poison_and_nobody_is_asked(value: bytes) -> None:
    ai = ScriptedAI()
    source = record(value)
    with pytest.raises(Poison) as caught:
        await step(stage(ai), Table(), source)
    assert caught.value.record is source
    assert ai.calls == []


async def test_a_request_that_was_given_up_closes_its_turn() -> None:
    outputs = stage(ScriptedAI()).on_poison(record(changed(surprise=1)), Poison("unknown member"))
    event = event_of(outputs)
    assert (event.type, event.id) == ("reply_failed", derived_id("turn-1", "reply"))
    assert (event.data.turn_id, event.data.reason, event.data.detail) == ("turn-1", "rejected", "Poison")
    assert event.correlation_id == "first-event"


@pytest.mark.parametrize("value", [b"\xff\x00", b"[]", b"{}", changed(id=7)])
async def test_a_record_that_names_no_turn_closes_none(value: bytes) -> None:
    assert stage(ScriptedAI()).on_poison(record(value), Poison("no request")) == []


async def test_the_session_is_opened_and_closed_with_the_stage() -> None:
    ai = ScriptedAI()
    respond = stage(ai)
    await respond.start()
    is_open = ai.is_open
    await respond.stop()
    assert (is_open, ai.is_open) == (True, False)


def test_the_quick_reader_knows_the_same_members_as_the_schema() -> None:
    assert {field.name for field in msgspec.structs.fields(Request)} == set(ReplyRequest.model_fields)


def test_the_stage_reads_one_topic_and_works_on_as_many_turns_as_the_settings_say() -> None:
    respond: ActiveStage = stage(ScriptedAI())
    assert (respond.name, respond.reads, respond.has_table) == ("respond", (TOPICS.ai_requests,), True)
    assert respond.concurrency == SETTINGS.ai_concurrency
