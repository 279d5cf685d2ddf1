"""WeChat's XML: untrusted text → names and values, bounded while it is parsed. Pure.

No DTD, so no entities; element count and depth are checked as they come, so that a hostile body costs little.
"""

from typing import Any
from xml.parsers.expat import ExpatError, ParserCreate

from defusedxml import DTDForbidden

Members = dict[str, Any]
"""Children of an element by name: text, or the children of the child. Of children with one name the first counts."""

ELEMENTS_MAX = 256
"""Ours: documented messages and events stay below 100."""
DEPTH_MAX = 8
"""Ours: documented events stay below 5."""

_NAMESPACE_END = "}"
"""Between namespace and name, as in ``{namespace}name``."""

_REPLACED = dict.fromkeys(
    [*(code for code in range(0x20) if code not in b"\t\n\r"), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF], 0xFFFD
)
"""What XML 1.0 forbids ("Characters"), as a table for ``str.translate``: a quarter of a pattern's time at worst."""


class MalformedXmlError(ValueError):
    """The text is no message of WeChat's form; the text of the error says why."""


def parse(text: str) -> Members:
    """The members of the root element ``xml``; raises MalformedXmlError.

    Characters that XML forbids, which people can type all the same, count as U+FFFD and cost nobody a message.
    """
    try:
        return _parsed(text)
    except (ExpatError, ValueError) as error:
        # Looked for only now, because it takes as long as parsing, and there is hardly ever one.
        mended = text.translate(_REPLACED)
        if mended == text:
            raise MalformedXmlError(f"body is not XML of WeChat's form: {error}") from None
    return parse(mended)


def _parsed(text: str) -> Members:
    """Raises ExpatError where it is no XML, ValueError at our limits."""
    reading = _Reading()
    parser = ParserCreate(None, _NAMESPACE_END)
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _forbidden
    parser.StartElementHandler = reading.start
    parser.CharacterDataHandler = reading.data
    parser.EndElementHandler = reading.end
    parser.Parse(text, True)
    return reading.members


def _forbidden(name: str, system_id: str | None, public_id: str | None, _has_subset: bool) -> None:
    """Without a document type there are no entities, neither endless nor from elsewhere."""
    raise DTDForbidden(name, system_id, public_id)


def text_of(members: Members, name: str) -> str | None:
    """The text of a member, stripped; None when it is missing or has children of its own."""
    value = members.get(name)
    return value.strip() if isinstance(value, str) else None


class _Reading:
    """Takes the parser's events; raises ValueError at a limit, which ends the parsing there."""

    def __init__(self) -> None:
        self.members: Members = {}
        self._open: list[tuple[str, Members, list[str]]] = []
        self._count = 0

    def start(self, tag: str, _attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > ELEMENTS_MAX:
            raise ValueError(f"more than {ELEMENTS_MAX} elements")
        if len(self._open) >= DEPTH_MAX:
            raise ValueError(f"nested deeper than {DEPTH_MAX}")
        if _NAMESPACE_END in tag:
            tag = "{" + tag
        if not self._open and tag != "xml":
            raise ValueError(f"the root is <{tag[:40]}>, expected <xml>")
        self._open.append((tag, {}, []))

    def data(self, data: str) -> None:
        self._open[-1][2].append(data)

    def end(self, _tag: str) -> None:
        tag, members, texts = self._open.pop()
        if not self._open:
            self.members = members
            return
        self._open[-1][1].setdefault(tag, members or "".join(texts))
