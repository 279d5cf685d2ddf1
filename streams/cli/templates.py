"""``iris templates``: the message templates of an account, handed in for approval and looked at.

Reads ``iris.toml`` and asks the platform of the channel; platforms without templates are told as such.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from connectors.care import Template, TemplateDraft, TemplateRefused, Templates
from connectors.errors import SendError
from connectors.interface import Channel
from connectors.registry import templates_class
from streams.app import configured_channels
from streams.channels import without_secrets
from streams.cli.operating import operating
from streams.cli.output import BadInput, CommandError, say, write_lines
from streams.settings import Settings

T = TypeVar("T")
COLUMNS = ("name", "language", "status", "category", "quality", "reason", "body")


@dataclass(frozen=True, slots=True)
class Order:
    """A template as typed: ``language`` None means the platform's default."""

    name: str
    body: str
    language: str | None = None
    category: str = ""
    examples: tuple[str, ...] = ()
    header: str = ""
    footer: str = ""


def list_all(settings: Settings, channel_id: str | None, *, as_json: bool) -> None:
    """Every template of the account; raises CommandError (1 when the platform refuses)."""
    channel, keeper = _keeper(settings, channel_id)
    _show(_asked(keeper, channel, lambda: keeper.list(channel)), as_json=as_json)


def create(settings: Settings, channel_id: str | None, order: Order, *, as_json: bool) -> None:
    """Hand one in; raises CommandError: 65 when it breaks a rule, 1 when the platform refuses."""
    channel, keeper = _keeper(settings, channel_id)
    draft = TemplateDraft(
        order.name,
        order.language or keeper.default_language,
        order.category or keeper.categories[0],
        order.body,
        examples=order.examples,
        header=order.header,
        footer=order.footer,
    )
    made = _asked(keeper, channel, lambda: keeper.create(channel, draft))
    _show([made], as_json=as_json)
    if not as_json:
        say("people at the platform look at it now; `iris templates status` tells what they decided")


def status(settings: Settings, channel_id: str | None, name: str, language: str | None, *, as_json: bool) -> None:
    """One template in every language, or in one. Raises CommandError (1) unless all that is shown is approved."""
    channel, keeper = _keeper(settings, channel_id)
    listed = _asked(keeper, channel, lambda: keeper.list(channel))
    found = [one for one in listed if one.name == name and language in (None, one.language)]
    if not found:
        where = f" in {language}" if language else ""
        raise CommandError(f"the account has no template {name!r}{where}; `iris templates list` shows all there are")
    _show(found, as_json=as_json)
    waiting = [f"{one.language} is {one.status}" for one in found if one.is_approved is not True]
    if waiting:
        raise CommandError(f"{name} may not be sent yet: {', '.join(waiting)}")


def _keeper(settings: Settings, channel_id: str | None) -> tuple[Channel, Templates]:
    """The channel that is meant and what keeps its templates; raises CommandError (2) when that is not clear."""
    with operating():
        channels = configured_channels(settings).all
    able = [(channel, make) for channel in channels if (make := templates_class(channel.platform)) is not None]
    named = [item for item in able if channel_id in (None, item[0].id, f"{item[0].platform}/{item[0].id}")]
    if len(named) == 1:
        channel, make = named[0]
        return channel, make()
    known = ", ".join(f"{channel.platform}/{channel.id}" for channel, _ in able) or "none"
    if not named:
        raise CommandError(f"no such channel with message templates; there are: {known}", exit_code=2)
    raise CommandError(f"several channels have message templates: {known}; name one with --channel", exit_code=2)


def _asked(keeper: Templates, channel: Channel, ask: Callable[[], Awaitable[T]]) -> T:
    async def work() -> T:
        try:
            return await ask()
        finally:
            await keeper.close()

    try:
        return asyncio.run(work())
    except TemplateRefused as error:
        raise BadInput(f"not a template: {error}") from error
    except SendError as error:
        raise CommandError(without_secrets(error.reason, channel)) from error


def _show(templates: Sequence[Template], *, as_json: bool) -> None:
    rows: list[dict[str, Any]] = [asdict(template) for template in templates]
    if as_json:
        write_lines(rows)
        return
    table = Table(box=None)
    for column in COLUMNS:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(escape(str(row[column])) for column in COLUMNS))
    Console().print(table)
