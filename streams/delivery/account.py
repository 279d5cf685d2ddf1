"""One message's account: every change of its journal, together with the event that tells the log of it.

Pure: reads the journal and the plan, changes the journal, collects outputs. `send` decides when both become durable.
"""

from collections.abc import Callable, Iterable, Sequence

from connectors.errors import SendError
from connectors.interface import Call, Receipt
from schemas.events import (
    IdentityChanged,
    MessageFailed,
    MessageSent,
    MessageSuppressed,
    MessageUnknown,
    SendDelayed,
    SendStarted,
)
from schemas.outbound import OutboundMessage
from streams.delivery.journal import Journal, Step
from streams.delivery.telling import DETAIL_CHARS_MAX, PartData, Teller
from streams.engine.api import Output

TOLD_DELAY_S = 1.0
"""A wait from here on is told to the log; a shorter one nobody notices."""


class Account:
    """``calls`` are the visible calls of the journal's plan; ``is_ahead``: more is known here than is durable."""

    def __init__(self, message: OutboundMessage, journal: Journal, teller: Teller, clock: Callable[[], float]) -> None:
        self.message = message
        self.journal = journal
        self.calls: tuple[Call, ...] = ()
        self.is_ahead = False
        self._teller = teller
        self._clock = clock
        self._untold: list[Output] = []

    @property
    def now_ms(self) -> float:
        """The real time, Unix milliseconds with fractions."""
        return self._clock() * 1000

    def take(self) -> list[Output]:
        """The outputs collected since the last time; the caller makes them durable with the journal."""
        outputs, self._untold = self._untold, []
        self.is_ahead = False
        return outputs

    def start(self, step: Step, call: Call) -> None:
        """The call is about to be made; to be durable before it is."""
        step.state = "started"
        step.attempt += 1
        step.first_ms = step.first_ms or self.now_ms
        self.tell_start(step, call)

    def tell_start(self, step: Step, call: Call) -> None:
        """The latest start of this call, under the id that it has or would have had."""
        self._tell_of(
            step,
            SendStarted(
                message_id=self.message.id,
                part_ids=call.part_ids,
                attempt=step.attempt,
                method=call.name,
                idempotency_key=call.idempotency_key,
            ),
        )

    def measure(self) -> None:
        """The first call is being made now: our own time, in the way to the AI and back from it, ends here."""
        message = self.message
        if self.journal.own_ms is None and message.own_ms_before_ai is not None and message.answered_at is not None:
            self.journal.own_ms = message.own_ms_before_ai + self.now_ms - message.answered_at * 1000

    def sent(self, step: Step, receipt: Receipt) -> None:
        """The platform took the call. Its parts are told as sent once their last call went through."""
        step.state = "sent"
        step.platform_ids = receipt.message_ids
        is_first = "sent" not in self.journal.parts.values()
        # A part in several pieces is told once, after its last piece: told with the first, a failure of the second
        # would leave it as sent, since `sent` outranks `failed`.
        later = {part for call in self.calls[len(self.journal.steps) :] for part in call.part_ids}
        ended = self.journal.settle((part for part in step.part_ids if part not in later), "sent")
        if not ended:
            # Nothing to tell yet, but the piece must not be sent again.
            self.is_ahead = True
            return
        told = [call for call in self.calls[: len(self.journal.steps)] if not set(call.part_ids).isdisjoint(ended)]
        self._tell_of(
            step,
            MessageSent(
                message_id=self.message.id,
                part_ids=ended,
                platform_message_ids=self.journal.platform_ids_of(ended),
                attempt=step.attempt,
                method=told[-1].name,
                changes=tuple(dict.fromkeys(change for call in told for change in call.changes)),
                own_time_ms=self.journal.own_ms if is_first else None,
            ),
        )

    def refused(self, step: Step, error: SendError, *, wait_s: float) -> None:
        """The call did not arrive, or may be repeated safely; it is made again after ``wait_s``."""
        step.state = "refused"
        step.in_doubt = step.in_doubt or error.ambiguous
        step.retry_at_ms = self.now_ms + wait_s * 1000
        if wait_s >= TOLD_DELAY_S:
            self._tell_of(
                step,
                SendDelayed(
                    message_id=self.message.id,
                    part_ids=step.part_ids,
                    attempt=step.attempt,
                    reason=error.reason[:DETAIL_CHARS_MAX],
                    retry_at=int(step.retry_at_ms),
                ),
            )

    def moved(self, step: Step, peer: str) -> None:
        """The platform refused the call and said under which identity the contact goes on."""
        self.journal.peer = peer
        self._tell_of(step, IdentityChanged(old_identity=self.message.peer, new_identity=peer, cause="send"))

    def failed(self, step: Step, error: SendError, *, reason: str, is_contact_lost: bool) -> None:
        """The call's parts failed; all the rest with them when the contact cannot be written to any more."""
        step.state = "failed"
        # One event for all of them: calls that cannot arrive are not made just to be refused one by one.
        rest = [part.id for part in self.journal.open_parts(self.message)] if is_contact_lost else []
        self.fail([*step.part_ids, *rest], reason, error, step=step)

    def unknown(self, step: Step, reason: str) -> None:
        """Nobody can say whether the call arrived."""
        step.state = "unknown"
        self.lose(step.part_ids, reason, step=step)

    def fail(
        self, part_ids: Sequence[str], reason: str, error: SendError | None = None, *, step: Step | None = None
    ) -> None:
        """Let these parts end as failed, unless they have ended before."""
        ended = self.journal.settle(part_ids, "failed")
        code, detail = (error.code, error.reason[:DETAIL_CHARS_MAX]) if error is not None else (None, "")
        if ended:
            attempt = step.attempt if step is not None else self.journal.attempt_of(ended[0])
            data = MessageFailed(
                message_id=self.message.id, part_ids=ended, attempt=attempt, reason=reason, code=code, detail=detail
            )
            self._tell(data, cause=ended if step is None else step.part_ids, attempt=attempt)

    def lose(self, part_ids: Iterable[str], reason: str, *, step: Step | None = None) -> None:
        """Let these parts end as unknown, unless they have ended before."""
        ended = self.journal.settle(part_ids, "unknown")
        if ended:
            attempt = step.attempt if step is not None else self.journal.attempt_of(ended[0])
            reason = reason[:DETAIL_CHARS_MAX]
            data = MessageUnknown(message_id=self.message.id, part_ids=ended, attempt=attempt, reason=reason)
            self._tell(data, cause=ended if step is None else step.part_ids, attempt=attempt)

    def suppress(self, part_ids: Sequence[str], reason: str) -> None:
        """Let these parts end without a call."""
        ended = self.journal.settle(part_ids, "suppressed")
        if ended:
            attempt = self.journal.attempt_of(ended[0])
            data = MessageSuppressed(message_id=self.message.id, part_ids=ended, reason=reason)
            self._tell(data, cause=ended, attempt=attempt)

    def channel_changed(self, step: Step, change: str, reason: str) -> None:
        """The channel was paused or works again; this call found out."""
        self.is_ahead = True
        self._untold.append(
            self._teller.channel_event(
                change, reason, cause=step.part_ids, attempt=step.attempt, now_ms=int(self.now_ms)
            )
        )

    def _tell_of(self, step: Step, data: PartData) -> None:
        self._tell(data, cause=step.part_ids, attempt=step.attempt)

    def _tell(self, data: PartData, *, cause: Sequence[str], attempt: int) -> None:
        self.is_ahead = True
        self._untold.append(self._teller.part_event(data, cause=cause, attempt=attempt, now_ms=int(self.now_ms)))
