"""What an AI service answers is untrusted: bounded, cleaned and checked here before anything else sees it. Pure.

Reads the bytes of an answer; gives an ``AIAnswer`` that fits the log and leaves something to say, or raises AIBroken.
Only the text is essential. Everything around it that is malformed or too large is dropped, so that a person still gets
the text.
"""

import logging
import math
import re
from collections.abc import Mapping
from typing import Any, get_args

import orjson

from connectors.shared.splitting import MAX_DEPTH, is_deeper_than, mend_surrogates
from connectors.shared.text import characters, truncate
from schemas.replies import AIAnswer, ResponseType
from streams.ai.errors import AIBroken
from streams.conversation.reply import parts_of

RICH_BYTES_MAX = 51_200
"""Of ``flex_content`` and of ``keyboard``, as JSON; a larger one is dropped. The largest carousel that a platform
takes has 50 KB ("Flex Message limits")."""
INSIGHTS_BYTES_MAX = 8_192
"""Of ``user_insights``, as JSON; larger ones are dropped, because preferences live in the 64 KiB of a state."""

_TYPES: tuple[str, ...] = get_args(ResponseType)
_UNSPEAKABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""Control characters, which platforms refuse, and halves of surrogate pairs, which no encoder takes."""

log = logging.getLogger(__name__)


def read_json(body: bytes) -> dict[str, Any]:
    """The JSON object in ``body``; raises AIBroken. Half an emoji, which some services send, becomes U+FFFD."""
    if not body.strip():
        raise AIBroken("empty", "the answer has no body")
    if is_deeper_than(body, MAX_DEPTH):
        raise AIBroken("bad_json", f"nested deeper than {MAX_DEPTH}")
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise AIBroken("bad_utf8", f"byte {error.start} is not UTF-8") from error
    try:
        value = _loads(body)
    except orjson.JSONDecodeError as error:
        raise AIBroken("bad_json", error.msg) from error
    if not isinstance(value, dict):
        raise AIBroken("wrong_type", f"the answer is a JSON {type(value).__name__}, not an object")
    return value


def _loads(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return orjson.loads(mend_surrogates(body))


def read_answer(fields: Mapping[str, Any], *, chars_max: int) -> AIAnswer:
    """An answer from the members of ``/process``'s; text beyond ``chars_max`` characters is cut between graphemes.

    Raises AIBroken when the text is no text (``wrong_type``), or when nothing is left to say (``empty``).
    """
    text = fields.get("response_text") or ""
    if not isinstance(text, str):
        raise AIBroken("wrong_type", f"response_text is a JSON {type(text).__name__}, not a text")
    kind = fields.get("response_type")
    answer = AIAnswer(
        response_text=truncate(_speakable(text), chars_max, characters),
        response_type=kind if kind in _TYPES else "text",
        flex_content=_bounded(fields, "flex_content", dict, RICH_BYTES_MAX),
        keyboard=_bounded(fields, "keyboard", (dict, list), RICH_BYTES_MAX),
        confidence=_number(fields.get("confidence")),
        user_insights=_bounded(fields, "user_insights", dict, INSIGHTS_BYTES_MAX) or {},
    )
    if not parts_of(answer, message_id=""):
        raise AIBroken("empty", "the answer has neither a text nor a usable card or keyboard")
    return answer


def _speakable(text: str) -> str:
    return _UNSPEAKABLE.sub("", text.replace("\r\n", "\n")).strip()


def _bounded(fields: Mapping[str, Any], name: str, kind: type | tuple[type, ...], bytes_max: int) -> Any:
    """The member, or None where it is absent, of another type or too large."""
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, kind):
        log.warning("AI answer: %s is a JSON %s; dropped", name, type(value).__name__)
        return None
    size = len(orjson.dumps(value))
    if size > bytes_max:
        log.warning("AI answer: %s has %d bytes, more than %d; dropped", name, size, bytes_max)
        return None
    return value


def _number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else None
