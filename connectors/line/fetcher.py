"""Gets what people sent on LINE, and who they are: "Messaging API reference", Get content and Get profile.

Content lies on a host of its own and goes after a time that LINE does not tell. Films and sounds are prepared first.
"""

from urllib.parse import quote

from connectors.errors import FetchError
from connectors.interface import Blob, Channel, Contact, Download, Profile
from connectors.line import api
from connectors.line.sender import error_of
from connectors.shared.fetching import by_link, fetching, lookup, media_id_of
from connectors.shared.http import Answer, HttpClient, fill_secrets
from schemas.content import Content

BEARER = {"Authorization": "Bearer {secret:access_token}"}

FACTS = {"name": "displayName", "picture_url": "pictureUrl", "status_message": "statusMessage"}
"""Ours and LINE's."""


class Fetcher:
    """Shared by all LINE channels of a process."""

    def __init__(self) -> None:
        self._client = HttpClient()

    async def media(self, content: Content, channel: Channel, download: Download, *, timeout_s: float) -> Blob:
        """By the message's id, or by the link of content that lies outside LINE, which never gets our token."""
        message_id = media_id_of(content)
        if message_id is None:
            return await by_link(content, channel, download)
        base = (channel.api_base or api.DATA_BASE).rstrip("/")
        url = base + api.CONTENT_PATH.format(id=quote(message_id, safe=""))
        with fetching():
            headers = {name: fill_secrets(value, channel) for name, value in BEARER.items()}
        try:
            return await download(url, channel, headers=headers)
        except FetchError as error:
            if error.retryable and await self._is_hopeless(f"{url}/transcoding", channel, timeout_s=timeout_s):
                raise FetchError("LINE could not prepare this content (transcoding failed)", code="gone") from None
            raise

    async def profile(self, contact: Contact, channel: Channel, *, timeout_s: float) -> Profile | None:
        """Of a friend, or of a member of the group or room that the conversation is; None for everybody else."""
        path = api.PROFILE_PATHS.get(contact.peer[:1] if contact.peer != contact.id else "", api.PROFILE_PATH)
        path = path.format(user=quote(contact.id, safe=""), peer=quote(contact.peer, safe=""))
        answer = await self._get("profile", (channel.api_base or api.API_BASE).rstrip("/") + path, channel, timeout_s)
        if answer.status == 404:
            return None
        said = {name: answer.member(native) for name, native in FACTS.items()}
        language = answer.member("language")
        facts = {name: value for name, value in said.items() if isinstance(value, str)}
        return Profile(facts, language if isinstance(language, str) else None)

    async def _is_hopeless(self, url: str, channel: Channel, *, timeout_s: float) -> bool:
        answer = await self._get("transcoding", url, channel, timeout_s)
        return bool(answer.member("status") == "failed")

    async def _get(self, name: str, url: str, channel: Channel, timeout_s: float) -> Answer:
        call = lookup(name, url, headers=BEARER)
        with fetching():
            answer = await self._client.request(call, channel, timeout_s=timeout_s)
            if answer.status not in (200, 404):
                raise error_of(answer, call, channel)
        return answer

    async def close(self) -> None:
        """Release connections."""
        await self._client.close()
