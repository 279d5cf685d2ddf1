"""What the platforms' fetchers share: calls that ask for a link or a profile, and links that are tried first.

Reads the platforms' APIs through ``HttpClient``; writes nothing.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from connectors.errors import FetchError, SendError
from connectors.interface import Blob, Call, Channel, Download
from schemas.content import Content, MediaContent, ShareContent, StickerContent, StoryContent


def lookup(name: str, url: str, *, headers: Mapping[str, str] | None = None, body: Any = None) -> Call:
    """A call that no user sees, so that it may be repeated: GET, or POST with a JSON body."""
    method = "GET" if body is None else "POST"
    return Call(name, method, url, headers or {}, body, part_ids=(), is_visible=False)


@contextmanager
def fetching() -> Iterator[None]:
    """What went wrong with such a call, as a FetchError: nothing of it is ever ambiguous."""
    try:
        yield
    except SendError as error:
        is_passing = error.retryable or error.ambiguous
        raise FetchError(
            error.reason,
            code="unavailable" if is_passing else "refused",
            retryable=is_passing,
            retry_after_s=error.retry_after_s,
        ) from None


def link_of(content: Content) -> str | None:
    """The link that the platform sent along."""
    return content.url if isinstance(content, MediaContent | StickerContent | StoryContent | ShareContent) else None


def media_id_of(content: Content) -> str | None:
    """The platform's own id of the media."""
    return content.media_id if isinstance(content, MediaContent | StickerContent) else None


async def by_link(content: Content, channel: Channel, download: Download) -> Blob:
    """What lies behind the link of the webhook, which is all that some platforms give; raises FetchError."""
    link = link_of(content)
    if link is None:
        raise FetchError("there is neither a link nor a way to ask for one", code="no_source")
    return await download(link, channel)


async def by_new_link(
    link: str, channel: Channel, download: Download, *, headers: Mapping[str, str] | None = None
) -> Blob:
    """What lies behind a link that was new a moment ago: where it is dead already, another one may work."""
    try:
        return await download(link, channel, headers=headers)
    except FetchError as error:
        if error.is_gone:
            raise FetchError(error.reason, code=error.code, retryable=True) from None
        raise


def language_tag(value: Any) -> str | None:
    """``th_TH`` → ``th-TH``; None for what is no text."""
    return value.replace("_", "-") if isinstance(value, str) and value else None
