"""Gets what people sent on WhatsApp: media by id, then by a link that lives five minutes; profiles from the webhook.

Reads ``GET /{media id}`` and the link that it names, both with the access token ("Media"). There is no profile API.
"""

from urllib.parse import quote

from yarl import URL

from connectors.errors import FetchError
from connectors.interface import Blob, Channel, Contact, Download, Profile
from connectors.shared.fetching import by_new_link, fetching, link_of, lookup, media_id_of
from connectors.shared.guard import is_same_host
from connectors.shared.http import HttpClient, fill_secrets
from connectors.shared.meta.graph import receipt_of
from connectors.shared.meta.values import as_text
from connectors.whatsapp.api import API_BASE, ERROR_MEANINGS, GRAPH_VERSION
from connectors.whatsapp.entries import NUMBER_FIELD
from schemas.content import Content

BEARER = {"Authorization": "Bearer {secret:access_token}"}

METAS_HOSTS = ("facebook.com", "fbsbx.com", "fbcdn.net", "whatsapp.net", "whatsapp.com")
"""Where media lies; the token goes nowhere else, whatever link we are given."""


class Fetcher:
    """One HTTP session for all numbers."""

    def __init__(self) -> None:
        self._client = HttpClient()

    async def media(self, content: Content, channel: Channel, download: Download, *, timeout_s: float) -> Blob:
        """The webhook's link if it still lives, else a new one by id, which the platform gives for seven days."""
        link, media_id = link_of(content), media_id_of(content)
        if link is not None:
            try:
                return await download(link, channel, headers=_headers(link, channel))
            except FetchError as error:
                if not error.is_gone or media_id is None:
                    raise
        if media_id is None:
            raise FetchError("the message has neither an id nor a link of its media", code="no_source")
        link = await self._link(media_id, channel, timeout_s=timeout_s)
        return await by_new_link(link, channel, download, headers=_headers(link, channel))

    async def profile(self, contact: Contact, channel: Channel, *, timeout_s: float) -> Profile | None:
        """What the webhook's ``contacts`` said beside the message."""
        facts = {name: contact.metadata[name] for name in ("name", "username", "wa_id") if name in contact.metadata}
        return Profile(facts) if facts else None

    async def _link(self, media_id: str, channel: Channel, *, timeout_s: float) -> str:
        version = channel.first("graph_version") or GRAPH_VERSION
        number = quote(channel.first(NUMBER_FIELD), safe="")
        base = (channel.api_base or API_BASE).rstrip("/")
        url = f"{base}/{version}/{quote(media_id, safe='')}?phone_number_id={number}"
        with fetching():
            answer = await self._client.request(lookup("media", url, headers=BEARER), channel, timeout_s=timeout_s)
            receipt_of(answer, channel, ERROR_MEANINGS)
        link = as_text(answer.member("url"))
        if not link:
            raise FetchError("media: the answer names no url", retryable=True, code="unavailable")
        return link

    async def close(self) -> None:
        """Close the session."""
        await self._client.close()


def _headers(link: str, channel: Channel) -> dict[str, str]:
    """The token, for a link of Meta's own or of the channel's ``api_base``."""
    try:
        url = URL(link)
        host = url.host or ""
        is_own = channel.api_base is not None and is_same_host(url, URL(channel.api_base))
    except ValueError:
        return {}
    is_metas = url.scheme == "https" and any(host == known or host.endswith(f".{known}") for known in METAS_HOSTS)
    if not (is_own or is_metas):
        return {}
    with fetching():
        return {name: fill_secrets(value, channel) for name, value in BEARER.items()}
