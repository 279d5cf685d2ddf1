"""``iris channels``: which channels there are, whether they work, and how their platforms come to deliver here.

Reads ``iris.toml``, asks the platforms' APIs, and reads the last known health from ``iris.control`` where a broker is
found. Writes to a platform only on ``register``. No output holds a credential.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn
from rich.table import Table

from connectors.care import Care, Finding, Site, webhook_path
from connectors.interface import Channel
from connectors.registry import care_class, platform_named
from streams.app import configured_channels
from streams.care.status import health_row
from streams.channels import Channels, without_secrets
from streams.cli.known import last_known
from streams.cli.operating import operating
from streams.cli.output import CommandError, say, write_lines
from streams.settings import Settings

COLORS = {"ok": "green", "click": "cyan", "warning": "yellow", "unclear": "magenta", "error": "red"}
NO_CARE = Finding("click", "this platform offers no checks", "look into its own console")

Job = Callable[[Care, Channel, Site], Awaitable[tuple[Finding, ...]]]


def list_all(settings: Settings, *, as_json: bool) -> None:
    """A table, or one JSON object per line; raises CommandError (78 a wrong setting)."""
    with operating():
        channels = configured_channels(settings).all
    known = last_known(settings) if channels else {}
    rows = [_row(channel, known) for channel in channels]
    if as_json:
        write_lines(rows)
    elif rows:
        _print_rows(rows)
    else:
        say(f"no channel is configured; add a [[channels]] table to {settings.config}")


def check(settings: Settings, channel_id: str | None, *, base: str | None, as_json: bool) -> None:
    """Look at every channel, or at those with this id. Raises CommandError: 1 when something is wrong, 75 when a
    platform could not be asked and nothing worse was found."""
    _work(settings, channel_id, _check, base=base or settings.public_url, as_json=as_json)


def register(settings: Settings, channel_id: str | None, *, base: str | None, as_json: bool) -> None:
    """Make the platforms deliver here. Raises CommandError as ``check``, and 2 without a public address."""
    base = base or settings.public_url
    if base is None:
        raise CommandError(
            "the public address is not known: give --url https://host, or set IRIS_PUBLIC_URL", exit_code=2
        )
    _work(settings, channel_id, _register, base=base, as_json=as_json)


def _check(care: Care, channel: Channel, site: Site) -> Awaitable[tuple[Finding, ...]]:
    return care.check(channel, site)


def _register(care: Care, channel: Channel, site: Site) -> Awaitable[tuple[Finding, ...]]:
    return care.register(channel, site)


def _work(settings: Settings, channel_id: str | None, job: Job, *, base: str | None, as_json: bool) -> None:
    with operating():
        channels = configured_channels(settings)
    if base is not None and "://" not in base:
        raise CommandError(f"--url {base!r} is no address; write for example https://iris.example.com", exit_code=2)
    chosen = _chosen(channels, channel_id, settings)
    found = asyncio.run(_findings(chosen, channels, job, base=base))
    if as_json:
        write_lines(_line(channel, finding) for channel, finding in found)
    else:
        _print_findings(found)
    _conclude([finding for _, finding in found])


def _chosen(channels: Channels, channel_id: str | None, settings: Settings) -> list[Channel]:
    chosen = [
        channel for channel in channels.all if channel_id in (None, channel.id, f"{channel.platform}/{channel.id}")
    ]
    if chosen:
        return chosen
    if channel_id is None:
        raise CommandError(f"no channel is configured in {settings.config}", exit_code=os.EX_CONFIG)
    known = ", ".join(f"{channel.platform}/{channel.id}" for channel in channels.all) or "none"
    raise CommandError(f"no channel {channel_id!r}; there are: {known}", exit_code=2)


async def _findings(
    chosen: Sequence[Channel], channels: Channels, job: Job, *, base: str | None
) -> list[tuple[Channel, Finding]]:
    """One channel after the other, because some share an address at the platform; a spinner says which."""
    cares: dict[str, Care] = {}
    found: list[tuple[Channel, Finding]] = []
    try:
        with Progress(
            SpinnerColumn(), TextColumn("{task.description}"), transient=True, console=Console(stderr=True)
        ) as bar:
            task = bar.add_task("")
            for channel in chosen:
                bar.update(task, description=f"{channel.platform}/{channel.id}")
                care = _care(channel.platform, cares)
                site = Site(base, channels.of(channel.platform))
                findings = (NO_CARE,) if care is None else await job(care, channel, site)
                found += [(channel, finding) for finding in findings]
    finally:
        await asyncio.gather(*(care.close() for care in cares.values()))
    return found


def _care(platform: str, cares: dict[str, Care]) -> Care | None:
    make = care_class(platform)
    if make is None:
        return None
    if platform not in cares:
        cares[platform] = make()
    return cares[platform]


def _conclude(findings: Iterable[Finding]) -> None:
    # What has to be clicked is no fault: it is told each time, because nobody can see whether it is done.
    levels = [finding.level for finding in findings]
    if "error" in levels:
        raise CommandError(f"not in order: {levels.count('error')} of {len(levels)} findings; each says what to do")
    if "unclear" in levels:
        raise CommandError("a platform could not be asked; try again", exit_code=os.EX_TEMPFAIL)


def _line(channel: Channel, finding: Finding) -> dict[str, Any]:
    # Findings hold no credential already; what a platform says in its own words is looked through once more.
    what, todo = without_secrets(finding.what, channel), without_secrets(finding.todo, channel)
    return {"platform": channel.platform, "channel": channel.id, "level": finding.level, "what": what, "todo": todo}


def _row(channel: Channel, known: Mapping[str, bytes]) -> dict[str, Any]:
    fields = platform_named(channel.platform).fields
    return {
        "platform": channel.platform,
        "channel": channel.id,
        "webhook": webhook_path(channel),
        "credentials": {field.name: len(channel.all(field.name)) for field in fields if field.is_secret},
        "settings": {field.name: channel.first(field.name) for field in fields if not field.is_secret},
        "api_base": channel.api_base,
        "care": care_class(channel.platform) is not None,
        "health": health_row(known, channel),
    }


def _print_rows(rows: Sequence[dict[str, Any]]) -> None:
    table = Table(box=None)
    for name in ("platform", "channel", "webhook", "credentials", "health", "since"):
        table.add_column(name, overflow="fold")
    for row in rows:
        given = [name + (f" ({count})" if count > 1 else "") for name, count in row["credentials"].items() if count]
        missing = [f"[dim]no {name}[/]" for name, count in row["credentials"].items() if not count]
        words = (row["platform"], row["channel"], row["webhook"], ", ".join([*given, *missing]))
        health = row["health"] or {"state": "unknown" if row["care"] else "no checks", "since": ""}
        table.add_row(*words, health["state"], health["since"])
    Console().print(table)


def _print_findings(found: Sequence[tuple[Channel, Finding]]) -> None:
    table = Table(box=None)
    for name in ("channel", "", "found", "to do"):
        table.add_column(name, overflow="fold")
    for channel, finding in found:
        line = _line(channel, finding)
        level = f"[{COLORS[finding.level]}]{finding.level}[/]"
        table.add_row(f"{channel.platform}/{channel.id}", level, escape(line["what"]), escape(line["todo"]))
    Console().print(table)
