"""Profiles and media of Messenger and Instagram: one GET on the person's node; media lies behind its link alone.

Reads the Graph API ("User Profile API", "Instagram User Profile API"). Any field may be missing, and so may all.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from connectors.interface import Blob, Channel, Contact, Download, Profile
from connectors.shared.fetching import by_link, fetching, language_tag, lookup
from connectors.shared.http import HttpClient
from connectors.shared.meta.graph import receipt_of
from connectors.shared.meta.meanings import Meanings
from connectors.shared.meta.values import as_dict
from schemas.content import Content


@dataclass(frozen=True, slots=True)
class ProfileApi:
    """``facts``: our name to Meta's field; ``token`` is a field of the channel; ``base``: where its nodes are, with the
    version and without a slash at the end."""

    facts: Mapping[str, str]
    token: str
    base: Callable[[Channel], str]
    meanings: Meanings


class GraphFetcher:
    """One HTTP session for all accounts."""

    def __init__(self, api: ProfileApi) -> None:
        self._api = api
        self._client = HttpClient()

    async def media(self, content: Content, channel: Channel, download: Download, *, timeout_s: float) -> Blob:
        """The signed link of the webhook; when that is dead, Meta has no other."""
        return await by_link(content, channel, download)

    async def profile(self, contact: Contact, channel: Channel, *, timeout_s: float) -> Profile | None:
        """What Meta tells; a picture's link lives for days at most."""
        api = self._api
        fields = ",".join(api.facts.values())
        url = f"{api.base(channel)}/{quote(contact.id, safe='')}?fields={fields}"
        call = lookup("profile", url, headers={"Authorization": f"Bearer {{secret:{api.token}}}"})
        with fetching():
            answer = await self._client.request(call, channel, timeout_s=timeout_s)
            receipt_of(answer, channel, api.meanings)
        said = as_dict(answer.body)
        facts = {name: said[native] for name, native in api.facts.items() if said.get(native) is not None}
        language = language_tag(facts.pop("locale", None))
        return Profile(facts, language) if facts or language else None

    async def close(self) -> None:
        """Close the session."""
        await self._client.close()
