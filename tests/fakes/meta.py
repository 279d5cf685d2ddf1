"""What Meta's fakes share: the signature, the escaped JSON that travels on the wire, the Graph API's error answers.

Written from Meta's "Webhooks: Getting Started" and "Graph API: Error handling".
"""

import hashlib
import hmac
import json
from typing import Any

from tests.fakes.wire import Answer

ESCAPES = {"/": r"\/", "<": r"\u003C", "%": r"\u0025", "@": r"\u0040"}
"""Beside everything that is not ASCII; Meta signs this escaped form and sends it."""


def wire_json(document: Any) -> bytes:
    """JSON as Meta sends it: what parses and serialises it again gets other bytes and another signature."""
    text = json.dumps(document, separators=(",", ":"))
    for character, escape in ESCAPES.items():
        text = text.replace(character, escape)
    return text.encode("ascii")


def signature(app_secret: str, body: bytes) -> str:
    """Value of ``X-Hub-Signature-256``."""
    return "sha256=" + hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()


def graph_error(
    message: str, *, code: int, subcode: int | None = None, status: int = 400, is_transient: bool = False
) -> Answer:
    """The Graph API's error envelope; the status is 400 for most things, limits included."""
    error: dict[str, Any] = {
        "message": message,
        "type": "OAuthException",
        "code": code,
        "is_transient": is_transient,
        "fbtrace_id": "AFakeTraceOfThisCall",
    }
    if subcode is not None:
        error["error_subcode"] = subcode
    return Answer(status, {"error": error})


def usage_header(business: str, *, kind: str, regain_access_min: int) -> dict[str, str]:
    """``X-Business-Use-Case-Usage`` of an account that may call again after so many minutes."""
    usage = {
        "type": kind,
        "call_count": 100,
        "total_cputime": 25,
        "total_time": 25,
        "estimated_time_to_regain_access": regain_access_min,
    }
    return {"X-Business-Use-Case-Usage": json.dumps({business: [usage]})}


def bearer(headers: dict[str, str], query: dict[str, str]) -> str:
    """The access token of a request, from the header or the query."""
    given = headers.get("authorization", "")
    return given.removeprefix("Bearer ") if given.startswith("Bearer ") else query.get("access_token", "")
