"""``iris topics``: create the topics, or list them as wanted and as found. Reads and writes the broker's metadata."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from rich.console import Console
from rich.table import Table

from streams.broker import find_broker
from streams.cli.operating import operating
from streams.cli.output import say, write_lines
from streams.ensure import TopicStatus, ensure_topics, topic_statuses
from streams.settings import Settings

T = TypeVar("T")
DAY_MS = 86_400_000


# What the client would log on its own we say ourselves, once, with the fix.
logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


def ensure(settings: Settings) -> None:
    """Create what is missing and say so; raises CommandError (69 no broker, 78 a topic that does not fit)."""
    with operating():
        created = asyncio.run(_with_broker(ensure_topics, settings))
    for name in created:
        say(f"created {name}")
    say(f"all topics are there, {len(created)} of them new")


def list_all(settings: Settings, *, as_json: bool) -> None:
    """A table, or one JSON object per line; raises CommandError without a broker."""
    with operating():
        statuses = asyncio.run(_with_broker(topic_statuses, settings))
    rows = [_row(status) for status in statuses]
    if as_json:
        write_lines(rows)
    else:
        _print(rows)


async def _with_broker(work: Callable[[str, Settings], Awaitable[T]], settings: Settings) -> T:
    return await work(await find_broker(settings), settings)


def _row(status: TopicStatus) -> dict[str, Any]:
    state = "missing" if status.is_missing else "mismatched" if status.is_mismatched else "ok"
    return {
        "topic": status.topic.name,
        "state": state,
        "partitions": status.partitions,
        "partitions_wanted": status.partitions_wanted,
        "replication": status.replication,
        "kept": _kept(status.topic.retention_ms),
    }


def _kept(retention_ms: int | None) -> str:
    if retention_ms is None:
        return "compacted"
    return "for ever" if retention_ms < 0 else f"{retention_ms // DAY_MS} d"


def _print(rows: list[dict[str, Any]]) -> None:
    table = Table(box=None)
    for name in ("topic", "state", "partitions", "replication", "kept"):
        table.add_column(name, justify="right" if name in ("partitions", "replication") else "left")
    colors = {"ok": "green", "missing": "yellow", "mismatched": "red"}
    for row in rows:
        count = str(row["partitions"])
        if row["state"] == "mismatched":
            count = f"{count} (wanted {row['partitions_wanted']})"
        state = f"[{colors[row['state']]}]{row['state']}[/]"
        table.add_row(row["topic"], state, count, str(row["replication"]), row["kept"])
    Console().print(table)
