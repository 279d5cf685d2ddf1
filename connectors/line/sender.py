"""LINE calls, one attempt each: the only I/O of this package. Answers are sorted into receipts and SendErrors."""

from typing import Any

from connectors.errors import SendError
from connectors.interface import Call, Channel, Receipt
from connectors.line import api
from connectors.shared.http import RATE_WAIT_S, Answer, HttpClient, redact, retry_after_s

REASON_MAX = 500
"""Ours: an error's text goes onto the log, so it is kept short."""


class Sender:
    """Shared by all LINE channels of a process."""

    def __init__(self) -> None:
        self._client = HttpClient()

    async def perform(self, call: Call, channel: Channel, *, timeout_s: float) -> Receipt:
        """One attempt; the receipt holds an id per message object. Raises SendError."""
        answer = await self._client.request(call, channel, timeout_s=timeout_s)
        is_known_key = answer.status == 409 and call.idempotency_key is not None
        if 200 <= answer.status < 300 or is_known_key:
            # 409: an earlier attempt with this retry key was accepted ("Retry failed API requests").
            return Receipt(_message_ids(answer))
        raise error_of(answer, call, channel)

    async def close(self) -> None:
        """Release connections."""
        await self._client.close()


def error_of(answer: Answer, call: Call, channel: Channel) -> SendError:
    """What an answer that is no success means ("Messaging API reference", status codes and error responses)."""
    message = _text(answer.member("message"))
    said = f"{call.name}: {answer.status} {message} {_details(answer)}".strip()
    reason = redact(said, channel)[:REASON_MAX]
    code = str(answer.status)
    if answer.status >= 500:
        # It may have been accepted; with a retry key it is safe to ask again.
        return SendError(reason, code=code, ambiguous=True, retryable=call.idempotency_key is not None)
    if answer.status == 429 and api.MONTHLY_LIMIT_TEXT in message.lower():
        # Only pushes count: the channel goes on, because replies are free.
        return SendError(reason, code="monthly_limit")
    if answer.status == 429:
        return SendError(reason, code=code, retryable=True, retry_after_s=retry_after_s(answer) or RATE_WAIT_S)
    if answer.status == 400 and call.uses_reply_token and api.SPENT_REPLY_TEXT in message.lower():
        return SendError(reason, code="invalid_reply_token", replan=True)
    return SendError(reason, code=code, channel_wide=answer.status in (401, 403))


# Answers are untrusted as well: what is not of the documented form counts as absent.


def _message_ids(answer: Answer) -> tuple[str, ...]:
    sent = answer.member("sentMessages")
    items = sent if isinstance(sent, list) else []
    return tuple(str(item["id"]) for item in items if isinstance(item, dict) and "id" in item)


def _details(answer: Answer) -> str:
    details = answer.member("details")
    items = details if isinstance(details, list) else []
    named = [f"{_text(item.get('property'))}: {_text(item.get('message'))}" for item in items if isinstance(item, dict)]
    return f"({'; '.join(named[:3])})" if named else ""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
