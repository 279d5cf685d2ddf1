"""Gets what people sent on Telegram, and who they are: "Telegram Bot API", getFile and getChat.

A ``file_id`` lasts; the path that getFile gives lives for an hour at least, so it is asked for anew each time.
"""

import mimetypes
from dataclasses import replace
from urllib.parse import quote

from connectors.errors import FetchError
from connectors.interface import Blob, Channel, Contact, Download, Profile
from connectors.shared.fetching import by_link, by_new_link, fetching, lookup, media_id_of
from connectors.shared.http import HttpClient, fill_secrets
from connectors.telegram import api
from connectors.telegram.sender import error_of
from connectors.telegram.wire import JsonObject, obj, text
from schemas.content import Content

FACTS = ("username", "first_name", "last_name", "bio")


class Fetcher:
    """One session for all bots."""

    def __init__(self) -> None:
        self._client = HttpClient()

    async def media(self, content: Content, channel: Channel, download: Download, *, timeout_s: float) -> Blob:
        """getFile for a path, then the file; more than 20 MB is refused by Telegram."""
        file_id = media_id_of(content)
        if file_id is None:
            return await by_link(content, channel, download)
        result = await self._ask("getFile", {"file_id": file_id}, channel, timeout_s=timeout_s)
        path = text(result, "file_path")
        if not path or path.startswith("/"):
            # A Bot API server in local mode answers with a path on its own disk.
            raise FetchError("getFile names no path that can be downloaded", code="no_source")
        with fetching():
            url = fill_secrets(api.file_url(channel.api_base, quote(path)), channel)
        blob = await by_new_link(url, channel, download)
        # The file server calls everything bytes; a photo's type is only in its name.
        return replace(blob, mime_type=blob.mime_type or mimetypes.guess_type(path)[0])

    async def profile(self, contact: Contact, channel: Channel, *, timeout_s: float) -> Profile | None:
        """getChat where the bot may see the person, and what came with the message, which alone has the language."""
        known = {name: contact.metadata[name] for name in FACTS if name in contact.metadata}
        try:
            chat = await self._ask("getChat", {"chat_id": api.split_peer(contact.id)[0]}, channel, timeout_s=timeout_s)
        except FetchError as error:
            if error.retryable or not known:
                raise
            chat = {}
        facts = known | {name: value for name in FACTS if (value := text(chat, name))}
        name = " ".join(filter(None, (facts.get("first_name"), facts.get("last_name")))) or text(chat, "title")
        language = contact.metadata.get("language_code")
        facts |= {"name": name} if name else {}
        return Profile(facts, language if isinstance(language, str) else None)

    async def _ask(self, method: str, body: JsonObject, channel: Channel, *, timeout_s: float) -> JsonObject:
        call = lookup(method, api.method_url(channel.api_base, method), body=body)
        with fetching():
            answer = await self._client.request(call, channel, timeout_s=timeout_s)
            if obj(answer.body).get("ok") is not True:
                raise error_of(call, answer, channel)
        return obj(obj(answer.body).get("result"))

    async def close(self) -> None:
        """Release connections."""
        await self._client.close()
