"""What WeChat's answers mean: HTTP says 200 to everything, the truth is in ``errcode``. Pure."""

from typing import Any

from connectors.errors import SendError
from connectors.interface import Call, Channel
from connectors.shared.http import Answer, redact, retry_after_s
from connectors.wechat import api

REASON_MAX = 300
"""Ours: an error's text goes onto the log, so it is kept short."""


def errcode_of(answer: Answer) -> int | None:
    """The verdict; None when the answer is not WeChat's own."""
    code = answer.member("errcode")
    return code if answer.status == 200 and isinstance(code, int) and not isinstance(code, bool) else None


def error_of(answer: Answer, call: Call, channel: Channel) -> SendError:
    """The error of an answer that is no success ("Global return codes", 全局返回码)."""
    code = errcode_of(answer)
    if code is None or code == 0:
        return _no_verdict(answer, call)
    message = answer.member("errmsg")
    reason = redact(f"{call.name}: {code} {message if isinstance(message, str) else ''}".strip(), channel)[:REASON_MAX]
    return SendError(reason, code=str(code), **_fields(code, call))


def _fields(code: int, call: Call) -> dict[str, Any]:
    if code == api.BUSY:
        return {"retryable": True}
    if code == api.RATE:
        return {"retryable": True, "retry_after_s": api.RATE_WAIT_S}
    if code in api.TOKEN_REFUSED and call.is_visible:
        # No attempt of the message's is spent on a token that another process has replaced.
        return {"retryable": True, "retry_after_s": 0.0}
    is_wide = (
        code in api.CHANNEL_WIDE or code in api.TOKEN_REFUSED or (code == api.NOT_GRANTED and call.name == api.SEND)
    )
    return {"channel_wide": is_wide, "unreachable": code in api.UNREACHABLE}


def _no_verdict(answer: Answer, call: Call) -> SendError:
    """Something between us spoke, or half of WeChat. Only 4xx and 503 say that the call was not passed on."""
    reason = f"{call.name}: HTTP {answer.status} without an errcode of WeChat"
    code = str(answer.status)
    if answer.status in (429, 503):
        return SendError(reason, code=code, retryable=True, retry_after_s=retry_after_s(answer))
    if answer.status in (401, 403, 404, 407) or 300 <= answer.status < 400:
        return SendError(f"{reason}; check the channel's api_base", code=code, channel_wide=True)
    if 400 <= answer.status < 500:
        return SendError(reason, code=code)
    return SendError(reason, code=code, retryable=not call.is_visible, ambiguous=call.is_visible)
