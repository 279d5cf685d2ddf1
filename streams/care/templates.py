"""Keeps what is known about message templates on ``iris.control``: from the platform's list, and from its webhooks.

One process of the installation does it, the one that looks after the platform's channels. Reads ``channel_updated`` of
the channels on the log, from the moment it begins; the list, asked at that moment and then every ten minutes, tells
what was before. Writes ``iris.control``.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connectors.care import Template, Templates
from connectors.errors import SendError
from connectors.interface import Channel
from schemas import headers
from schemas.control import TemplateState, template_key, template_prefix
from schemas.envelope import AnyEvent
from schemas.registry import LATEST_VERSION, SchemaError, decode_command, encode
from streams.care.keeper import TICK_S, Sink, World
from streams.engine.api import Headers

log = logging.getLogger(__name__)

LIST_EVERY_S = 600.0
"""Ours; WhatsApp allows 200 such calls an hour and account ("Rate limits", business management API)."""
HEADERS: Headers = ((headers.SCHEMA, f"template_state/{LATEST_VERSION}".encode()),)


@dataclass(frozen=True, slots=True)
class Account:
    """What owns templates: one or several channels of a platform share it."""

    platform: str
    id: str


class TemplateWatch:
    """``keepers`` are the platforms that have templates, by name; ``known`` is the content of ``iris.control``."""

    def __init__(
        self,
        channels: Sequence[Channel],
        keepers: Mapping[str, Templates],
        *,
        world: World,
        sink: Sink,
        known: Mapping[str, bytes],
    ) -> None:
        self._keepers = keepers
        self._world = world
        self._sink = sink
        self._known = known
        self._own: dict[str, TemplateState | None] = {}
        self._due_s: dict[Account, float] = {}
        self._channels: dict[Account, Channel] = {}
        for channel in channels:
            keeper = keepers.get(channel.platform)
            if keeper is not None and keeper.account_of(channel):
                self._channels.setdefault(Account(channel.platform, keeper.account_of(channel)), channel)
        self._account_of = {
            (channel.platform, channel.id): Account(channel.platform, keepers[channel.platform].account_of(channel))
            for channel in channels
            if channel.platform in keepers
        }

    async def run(self) -> None:
        """For ever."""
        while True:
            await self.tick()
            await self._world.sleep(TICK_S)

    async def tick(self) -> None:
        """Ask for the list of every account that is due here."""
        now = self._world.clock()
        for account, channel in self._channels.items():
            if not self._world.holds(account.platform):
                # Whoever holds it now writes; what this process wrote itself is no longer the newest.
                self._due_s.pop(account, None)
                self._own.clear()
            elif now >= self._due_s.get(account, 0.0):
                self._due_s[account] = now + LIST_EVERY_S
                await self._look(account, channel)

    async def hear(self, event: AnyEvent) -> None:
        """Take in what a webhook told; an event about anything else changes nothing."""
        account = self._account_of.get((event.platform, event.channel))
        if account is None or not self._world.holds(event.platform):
            return
        news = self._keepers[event.platform].news_of(event.data)
        if news is None:
            return
        try:
            # Some news name no language: they are about every one that the template is known in.
            for language in [news.language] if news.language else self._languages(account, news.name):
                await self._keep(account, _merged(self._state(account, news.name, language), news, language))
        except Exception:
            log.exception("news of template %s could not be kept; the next list will tell", news.name)

    async def _look(self, account: Account, channel: Channel) -> None:
        try:
            templates = await self._keepers[account.platform].list(channel)
        except SendError as error:
            log.warning("the templates of %s %s cannot be listed: %s", account.platform, account.id, error.reason)
            return
        try:
            for template in templates:
                await self._keep(account, _state_of(template))
            for key in self._gone(account, templates):
                self._own[key] = None
                await self._sink.put(key, None)
        except Exception:
            log.exception("the templates of %s %s could not be kept; trying again", account.platform, account.id)

    async def _keep(self, account: Account, state: TemplateState) -> None:
        if state == self._state(account, state.name, state.language):
            return
        key = template_key(account.platform, account.id, state.language, state.name)
        await self._sink.put(key, encode(state), HEADERS)
        self._own[key] = state
        if state.is_approved is False:
            log.warning("template %s in %s is %s", state.name, state.language, state.status)

    def _gone(self, account: Account, templates: Sequence[Template]) -> list[str]:
        """Keys of templates that are known and not on the list any more: nothing is known about them."""
        listed = {template_key(account.platform, account.id, one.language, one.name) for one in templates}
        return [key for key in self._keys(account) if key not in listed]

    def _languages(self, account: Account, name: str) -> list[str]:
        rest = (key.removeprefix(template_prefix(account.platform, account.id)) for key in self._keys(account))
        return [language for language, _, own in (one.partition("/") for one in rest) if own == name]

    def _keys(self, account: Account) -> list[str]:
        prefix = template_prefix(account.platform, account.id)
        keys = [key for key in (*self._known, *self._own) if key.startswith(prefix)]
        return [key for key in dict.fromkeys(keys) if self._own.get(key, True) is not None]

    def _state(self, account: Account, name: str, language: str) -> TemplateState | None:
        """What was written a moment ago may not have been read back yet."""
        key = template_key(account.platform, account.id, language, name)
        if key in self._own:
            return self._own[key]
        value = self._known.get(key)
        try:
            return None if value is None else decode_command(value, TemplateState)
        except SchemaError:
            return None


def _state_of(template: Template) -> TemplateState:
    return TemplateState(
        name=template.name,
        language=template.language,
        status=template.status,
        is_approved=template.is_approved,
        category=template.category,
        quality=template.quality,
        reason=template.reason,
    )


def _merged(before: TemplateState | None, news: Template, language: str) -> TemplateState:
    """What the news leave open stays as it was; a new status takes the reason of the old one with it."""
    state = before or TemplateState(name=news.name, language=language)
    changes: dict[str, object] = {}
    if news.status:
        changes |= {"status": news.status, "reason": news.reason}
    if news.is_approved is not None:
        changes["is_approved"] = news.is_approved
    if news.quality:
        changes["quality"] = news.quality
    if news.category:
        changes["category"] = news.category
    return state.model_copy(update=changes)
