"""What a Graph API answer means for a message that was sent: a receipt, or a SendError with the caller's choice.

Branches on ``code`` and ``error_subcode``, never on texts; throttling comes inside HTTP 400. Imports the I/O half.
"""

from typing import Any

import orjson

from connectors.errors import SendError
from connectors.interface import Channel, Receipt
from connectors.shared.http import RATE_WAIT_S, Answer, redact
from connectors.shared.meta.meanings import PERMANENT, RETRYABLE, Meanings, meaning_of
from connectors.shared.meta.values import as_dict, as_id, as_int, as_list

USAGE_HEADER = "x-business-use-case-usage"
"""JSON by business object; ``estimated_time_to_regain_access`` is in minutes ("Rate Limits")."""

REASON_LENGTH_MAX = 300
"""Characters of Meta's own text that go into the log."""


def receipt_of(answer: Answer, channel: Channel, meanings: Meanings) -> Receipt:
    """The receipt of an accepted message; raises SendError for anything else. ``meanings`` go before GENERIC."""
    if isinstance(answer.member("error"), dict):
        raise _graph_error(answer, channel, meanings)
    if answer.status >= 300:
        raise _foreign_error(answer)
    if not isinstance(answer.body, dict):
        raise SendError("the answer is not JSON, so it may have been sent", code="bad_answer", ambiguous=True)
    message_id = as_id(answer.member("message_id"))
    return Receipt((message_id,) if message_id else ())


def _graph_error(answer: Answer, channel: Channel, meanings: Meanings) -> SendError:
    error: dict[str, Any] = answer.member("error")
    code, subcode = as_int(error.get("code")) or 0, as_int(error.get("error_subcode"))
    meaning = meaning_of(code, subcode, meanings)
    if meaning is None:
        is_passing = error.get("is_transient") is True or answer.status == 429 or answer.status >= 500
        meaning = RETRYABLE if is_passing else PERMANENT
    name = f"{code}/{subcode}" if subcode else str(code)
    # Meta quotes a malformed token in full.
    text = redact(str(error.get("message", "")), channel)[:REASON_LENGTH_MAX]
    return SendError(
        f"Graph error {name} (HTTP {answer.status}): {text}",
        code=name,
        retryable=meaning.retryable,
        retry_after_s=regain_access_s(answer) or meaning.wait_s if meaning.retryable else None,
        ambiguous=meaning.ambiguous,
        channel_wide=meaning.channel_wide,
        unreachable=meaning.unreachable,
    )


def _foreign_error(answer: Answer) -> SendError:
    """No Graph error inside: a gateway on the way answered, and after 5xx nobody knows what lies behind it."""
    reason = f"HTTP {answer.status} without a Graph error"
    code = f"http_{answer.status}"
    if answer.status >= 500:
        return SendError(f"{reason}: it may have been sent", code=code, ambiguous=True)
    if answer.status == 429:
        return SendError(reason, code=code, retryable=True, retry_after_s=RATE_WAIT_S)
    return SendError(f"{reason}: check api_base and the access token", code=code, channel_wide=True)


def regain_access_s(answer: Answer) -> float | None:
    """Seconds until calls are allowed again, the longest of all that the usage header names; None without one."""
    try:
        usage = orjson.loads(answer.headers.get(USAGE_HEADER, ""))
    except orjson.JSONDecodeError:
        return None
    entries = [as_dict(entry) for entries in as_dict(usage).values() for entry in as_list(entries)]
    minutes = max((as_int(entry.get("estimated_time_to_regain_access")) or 0 for entry in entries), default=0)
    return minutes * 60.0 if minutes else None
