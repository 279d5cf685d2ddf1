"""Links to media that we keep ourselves: they end in the SHA-256 of the bytes, whatever storage they lie in. Pure.

Nobody outside can open such a link, so that it is never sent to a person or a platform; its bytes are uploaded.
"""

import re

STORED = re.compile(r"(?!https?:)[a-z][a-z0-9+.-]*://\S*/([0-9a-f]{2})/\1[0-9a-f]{62}")


def stored_name(sha256: str) -> str:
    """Path below the storage's root of the bytes with this digest (64 hexadecimal digits)."""
    return f"{sha256[:2]}/{sha256}"


def is_stored(url: str | None) -> bool:
    """Whether a link has the form of ours; only the storage itself knows whether it is one."""
    return STORED.fullmatch(url or "") is not None


def shown_link(url: str | None) -> str | None:
    """The link, where a person can be told it; None for one of ours."""
    return None if is_stored(url) else url
