"""The journal of one message: which of its calls were started, what came of each, and how each part ended.

It lives in the table of `send` as JSON under ``p`` + message id. `send` writes it before every call and reads it before
every call, so that whoever takes over after a crash repeats nothing and leaves nothing out.

A plan is a pure function of message, window and channel. The journal therefore keeps the window instead of the calls,
and a digest of each call that was started: the plan is made again, and only what comes out identical is continued.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec
import orjson
from msgspec import field

from connectors.interface import Call
from schemas.outbound import OutboundMessage, Part
from streams.delivery.status import SETTLED, Status

KEPT_MS = 7 * 86_400_000
"""As long as the outbound topic keeps a message that could come again."""

StepState = Literal["started", "refused", "sent", "failed", "unknown"]


class Step(msgspec.Struct, omit_defaults=True):
    """One visible call. ``started``: its outcome is not known yet; ``refused``: it is to be made (again), not before
    ``retry_at_ms``; the other states are final. ``attempt`` numbers all calls made for the step's first part,
    ``first_ms`` is when this one was first started, 0 before that. ``tries`` and ``told_waits`` count attempts that
    ended. ``in_doubt``: one of them may have arrived."""

    digest: str
    part_ids: tuple[str, ...]
    state: StepState = "refused"
    key: str | None = None
    attempt: int = 0
    first_ms: float = 0.0
    tries: int = 0
    told_waits: int = 0
    retry_at_ms: float = 0.0
    in_doubt: bool = False
    platform_ids: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether the call still has to be made, or made again."""
        return self.state in ("started", "refused")

    def platform_ids_of(self, part_id: str) -> tuple[str, ...]:
        """The platform's id of one part; all of the call's where they cannot be told apart."""
        if part_id not in self.part_ids:
            return ()
        if len(self.platform_ids) == len(self.part_ids):
            return (self.platform_ids[self.part_ids.index(part_id)],)
        return self.platform_ids


class Journal(msgspec.Struct, omit_defaults=True):
    """``parts`` says how each part ended, once and for all. ``planned``, ``window_ms`` and ``has_reply_token`` make the
    current plan again, ``steps`` are its calls from the first on; ``attempts`` remembers those of earlier plans by
    first part; ``own_ms`` is our own time until the first call; ``peer`` is to whom calls go where the platform said
    that the message's own has moved."""

    parts: dict[str, Status] = field(default_factory=dict)
    planned: tuple[str, ...] = ()
    window_ms: int = 0
    has_reply_token: bool = False
    steps: list[Step] = field(default_factory=list)
    attempts: dict[str, int] = field(default_factory=dict)
    own_ms: float | None = None
    peer: str = ""

    def open_parts(self, message: OutboundMessage) -> tuple[Part, ...]:
        """The parts that have not ended yet, in order."""
        return tuple(part for part in message.parts if part.id not in self.parts)

    def begin_plan(self, part_ids: Sequence[str], *, window_ms: int, has_reply_token: bool) -> None:
        """Forget the calls of the plan before; their attempts stay counted, so that no event id comes twice."""
        self.attempts = self.attempts | {step.part_ids[0]: self.attempt_of(step.part_ids[0]) for step in self.steps}
        self.planned = tuple(part_ids)
        self.window_ms = window_ms
        self.has_reply_token = has_reply_token
        self.steps = []

    def is_of(self, calls: Sequence[Call]) -> bool:
        """Whether these calls are the plan whose steps stand here."""
        return len(self.steps) <= len(calls) and all(
            step.digest == digest(call) for step, call in zip(self.steps, calls, strict=False)
        )

    def step_of(self, index: int, call: Call) -> Step:
        """The step of the plan's call ``index``, made when it is the next."""
        if index == len(self.steps):
            attempt = self.attempt_of(call.part_ids[0])
            self.steps.append(Step(digest(call), call.part_ids, key=call.idempotency_key, attempt=attempt))
        return self.steps[index]

    def attempt_of(self, part_id: str) -> int:
        """How many calls were made of which this was the first part."""
        made = [step.attempt for step in self.steps if step.part_ids[0] == part_id]
        return max([self.attempts.get(part_id, 0), *made])

    def touched_parts(self) -> tuple[str, ...]:
        """Open parts of which the user may have seen something: a call of theirs is out, or went through in part."""
        seen = {part for step in self.steps if step.in_doubt or step.state != "refused" for part in step.part_ids}
        return tuple(part for part in self.planned if part in seen and part not in self.parts)

    def settle(self, part_ids: Iterable[str], status: Status) -> tuple[str, ...]:
        """Let parts end; returns those that had not ended before, in order."""
        assert status in SETTLED
        ended = tuple(dict.fromkeys(part for part in part_ids if part not in self.parts))
        self.parts = self.parts | dict.fromkeys(ended, status)
        return ended

    def platform_ids_of(self, part_ids: Iterable[str]) -> tuple[str, ...]:
        """The platform's ids of these parts, in part order, each once; a part in several pieces has several."""
        sent = [step for step in self.steps if step.state == "sent"]
        return tuple(dict.fromkeys(id for part in part_ids for step in sent for id in step.platform_ids_of(part)))


def table_key(message_id: str) -> bytes:
    """Where a message's journal stands within its conversation."""
    return b"p" + message_id.encode()


def encode(journal: Journal) -> bytes:
    """JSON without defaults."""
    return msgspec.json.encode(journal)


def decode(value: bytes | None) -> Journal:
    """Back, or an empty journal; fields of a newer version are ignored. Raises msgspec.DecodeError."""
    return Journal() if value is None else msgspec.json.decode(value, type=Journal)


def digest(call: Call) -> str:
    """Says whether two calls are identical: what is sent, to where, under which key, for which parts. Secrets are still
    placeholders here, so a rotated credential changes nothing."""
    content = (call.name, call.method, call.url, dict(call.headers), call.body, call.part_ids, call.idempotency_key)
    options = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
    return hashlib.blake2b(orjson.dumps(content, default=repr, option=options), digest_size=12).hexdigest()
