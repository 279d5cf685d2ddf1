"""Gets what followers sent, and what WeChat tells of them: 获取临时素材 (media get), 获取用户基本信息 (user info).

An id is good for three days. Errors come as JSON with HTTP 200, and a film comes as JSON too, with its link. Names and
pictures of followers are empty since December 2021.
"""

from dataclasses import replace
from typing import Any
from urllib.parse import quote

import orjson

from connectors.errors import FetchError
from connectors.interface import Blob, Channel, Contact, Download, Profile
from connectors.shared.fetching import by_link, fetching, language_tag, link_of, lookup, media_id_of
from connectors.shared.http import Answer, HttpClient, fill_secrets
from connectors.wechat import api
from connectors.wechat.answers import errcode_of, error_of
from connectors.wechat.tokens import Token, Tokens
from schemas.content import Content

JSON_TYPES = frozenset({"application/json", "text/plain", "text/json"})
"""Under which of them errors come differs from page to page of the documentation; no media has any of these."""

BAD_MEDIA_ID = 40007

FACTS = {
    "name": "nickname",
    "union_id": "unionid",
    "remark": "remark",
    "is_follower": "subscribe",
    "followed_at": "subscribe_time",
    "follow_scene": "subscribe_scene",
    "tags": "tagid_list",
}


class Fetcher:
    """Shared by all WeChat channels of a process; keeps their access tokens, which are those of `send` as well."""

    def __init__(self) -> None:
        self._client = HttpClient()
        self._tokens = Tokens(self._client)

    async def media(self, content: Content, channel: Channel, download: Download, *, timeout_s: float) -> Blob:
        """A picture by its open link while that lives, everything else by its id."""
        media_id = media_id_of(content)
        if link_of(content) is not None:
            try:
                return await by_link(content, channel, download)
            except FetchError as error:
                if media_id is None or not error.is_gone:
                    raise
        if media_id is None:
            raise FetchError("the message has neither an id nor a link of its media", code="no_source")
        token, keyed = await self._keyed(channel, timeout_s)
        with fetching():
            url = fill_secrets(_url(keyed, api.MEDIA_PATH, media_id=media_id), keyed)
        blob = await download(url, channel)
        if blob.mime_type not in JSON_TYPES:
            self._tokens.confirm(channel, token)
            return blob
        answer = Answer(200, {}, _json(blob.data), "")
        link = answer.member("video_url")
        if isinstance(link, str) and link:
            return await download(link, channel)
        self._judge("media/get", answer, keyed, token)
        raise FetchError("media/get: JSON without a video_url", code="no_source")

    async def profile(self, contact: Contact, channel: Channel, *, timeout_s: float) -> Profile | None:
        """What is left of a profile; None for who does not follow the account."""
        token, keyed = await self._keyed(channel, timeout_s)
        call = lookup("user/info", _url(keyed, api.USER_PATH, openid=contact.id, lang="zh_CN"))
        with fetching():
            answer = await self._client.request(call, keyed, timeout_s=timeout_s)
        if answer.member("openid") is None:
            self._judge("user/info", answer, keyed, token)
        self._tokens.confirm(channel, token)
        if not answer.member("subscribe"):
            return None
        said = {name: answer.member(native) for name, native in FACTS.items()}
        facts = {name: value for name, value in said.items() if value not in (None, "", [])}
        return Profile(facts, language_tag(answer.member("language")))

    async def _keyed(self, channel: Channel, timeout_s: float) -> tuple[Token, Channel]:
        """The channel with its access token as one of its values."""
        with fetching():
            token = await self._tokens.get(channel, timeout_s=timeout_s)
        return token, replace(channel, values={**channel.values, "access_token": (token.value,)})

    def _judge(self, name: str, answer: Answer, channel: Channel, token: Token) -> None:
        """Raises FetchError for an answer that is an error; a refused token is worth one more attempt."""
        code = errcode_of(answer)
        if code == 0:
            return
        error = error_of(answer, lookup(name, ""), channel)
        if code in api.TOKEN_REFUSED and not self._tokens.refuse(channel, token):
            raise FetchError(error.reason, code="unavailable", retryable=True, retry_after_s=0.0)
        if code == BAD_MEDIA_ID:
            raise FetchError(error.reason, code="gone")
        with fetching():
            raise error

    async def close(self) -> None:
        """Release connections."""
        await self._client.close()


def _url(channel: Channel, path: str, **query: str) -> str:
    base = (channel.api_base or api.API_BASE).rstrip("/")
    more = "".join(f"&{name}={quote(value, safe='')}" for name, value in query.items())
    return f"{base}{path}{api.TOKEN_QUERY}{more}"


def _json(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
