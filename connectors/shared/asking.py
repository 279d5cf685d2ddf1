"""Asks a platform about a channel: one call, its answer or what it means that there is none. Used by channel care.

Writes to the network through ``connectors.shared.http``. Calls are built by pure functions and hold ``{secret:NAME}``
where a credential belongs, in the body too: there only as a whole value, so that nobody's words are taken for one.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from connectors.care import Finding, Health
from connectors.errors import SendError
from connectors.interface import Call, Channel
from connectors.shared.http import PLACEHOLDER, Answer, HttpClient, fill_secrets
from schemas.control import HealthState

TIMEOUT_S = 10.0
"""Ours, for one question: a person waits for it, or the next round of health."""


def question(name: str, method: str, url: str, body: Any = None, *, bearer: str = "access_token") -> Call:
    """A call that no user can see, with the channel's credential ``bearer``; empty: none is sent."""
    headers = {"Authorization": f"Bearer {{secret:{bearer}}}"} if bearer else {}
    return Call(name, method, url, headers, body, part_ids=(), is_visible=False)


class Asker:
    """One HTTP session for one process and platform. ``judge`` raises the SendError of an answer that is no success."""

    def __init__(self, judge: Callable[[Answer, Call, Channel], None]) -> None:
        self.client = HttpClient()
        self._judge = judge

    async def ask(self, call: Call, channel: Channel) -> Answer:
        """The answer of a call that succeeded; raises SendError."""
        call = replace(call, body=_filled(call.body, channel))
        answer = await self.client.request(call, channel, timeout_s=TIMEOUT_S)
        self._judge(answer, call, channel)
        return answer

    async def close(self) -> None:
        """Release connections."""
        await self.client.close()


def _filled(value: Any, channel: Channel) -> Any:
    if isinstance(value, dict):
        return {name: _filled(item, channel) for name, item in value.items()}
    return fill_secrets(value, channel) if isinstance(value, str) and PLACEHOLDER.fullmatch(value) else value


LIMIT_CODES = frozenset({"429", "monthly_limit"})
"""Common to several platforms; each adds its own."""


@dataclass(frozen=True, slots=True)
class Verdicts:
    """How a platform's failures are told: ``renew`` says what to do about a credential that was refused, ``todos`` what
    to do about some error codes."""

    renew: str
    limit_codes: frozenset[str] = LIMIT_CODES
    todos: Mapping[str, str] = field(default_factory=dict)

    def state(self, error: SendError) -> HealthState:
        """The state of a channel whose question failed like this."""
        if error.code in self.limit_codes or _main(error) in self.limit_codes:
            return "limited"
        # What may not simply be asked again is about the credentials, the ids among them: the questions are fixed.
        return "transient" if error.retryable or error.ambiguous else "bad_credentials"

    def health(self, error: SendError) -> Health:
        """The same with its reason."""
        return Health(self.state(error), error.reason)

    def finding(self, error: SendError) -> Finding:
        """What a person is told about it."""
        match self.state(error):
            case "bad_credentials":
                return Finding("error", error.reason, self.todos.get(_main(error), self.renew))
            case "limited":
                return Finding("warning", error.reason, "wait before you ask again; a quota needs another plan")
        return Finding("unclear", error.reason, "ask again later; if it stays so, look at api_base and the network")


def _main(error: SendError) -> str:
    """The code; Graph codes may have a subcode behind a slash."""
    return (error.code or "").partition("/")[0]


async def found(work: Awaitable[Finding | tuple[Finding, ...]], verdicts: Verdicts) -> tuple[Finding, ...]:
    """The findings of one question, with its failure as one of them."""
    try:
        result = await work
    except SendError as error:
        return (verdicts.finding(error),)
    return result if isinstance(result, tuple) else (result,)
