"""What a run came to, as one JSON object and as a table: from the log, and in the demo from the fakes as well.

Reads a tally and, where people were simulated, what they saw. Times are milliseconds of our own: without the AI and the
platforms.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from rich.table import Table

from streams.cli.crowd import Audience
from streams.cli.tally import Counts, Tally, percentile

COUNTED = ("received", "replied", "sent", "failed", "unknown")


def summary(
    tally: Tally,
    audiences: Mapping[str, Audience] | None,
    *,
    seconds: float,
    bare_own_ms_p50: float | None = None,
    is_drained: bool = True,
) -> dict[str, Any]:
    """Totals and, under ``platforms``, the same per platform.

    ``lost``: accepted messages that were neither answered nor recorded as failed or unknown; ``residual``: what the log
    does not account for. Both are None when the run was interrupted, because then work is still under way.
    """
    audiences = audiences or {}
    names = sorted(set(tally.platforms) | set(audiences))
    per_platform = {
        name: _row(tally.platforms.get(name, Counts()), audiences.get(name), is_drained=is_drained) for name in names
    }
    own_ms = [value for counts in tally.platforms.values() for value in counts.own_ms]
    own_p50 = percentile(own_ms, 0.5)
    total: dict[str, Any] = {name: sum(row[name] for row in per_platform.values()) for name in COUNTED}
    total["lost"] = sum(row["lost"] for row in per_platform.values()) if is_drained else None
    total["residual"] = tally.residual if is_drained else None
    total |= {"own_ms_p50": own_p50, "own_ms_p99": percentile(own_ms, 0.99)}
    if bare_own_ms_p50 is not None:
        ratio = round(own_p50 / bare_own_ms_p50, 2) if own_p50 is not None and bare_own_ms_p50 else None
        total |= {"bare_own_ms_p50": bare_own_ms_p50, "ratio": ratio}
    return {**total, "seconds": round(seconds, 1), "platforms": per_platform}


def is_whole(result: Mapping[str, Any]) -> bool:
    """Nothing lost and the books balance (an interrupted run is not judged)."""
    return not result["lost"] and not result["residual"]


def table(result: Mapping[str, Any]) -> Table:
    """One row per platform and one of totals, for a person; below it the verdict, once there is one."""
    shown = Table(title=_title(result), title_justify="left", caption=_verdict(result), caption_justify="left")
    columns = ("platform", *COUNTED, "own p50 ms", "own p99 ms")
    for name in columns:
        shown.add_column(name, justify="left" if name == "platform" else "right")
    for name, row in result["platforms"].items():
        shown.add_row(name, *_cells(row))
    shown.add_section()
    shown.add_row("all", *_cells(result), style="bold")
    return shown


def line(result: Mapping[str, Any]) -> str:
    """The totals on one line, for output that is no terminal."""
    counted = ", ".join(f"{name} {result[name]}" for name in COUNTED)
    return f"{counted}; own time p50 {_ms(result['own_ms_p50'])} ms, p99 {_ms(result['own_ms_p99'])} ms"


def _row(counts: Counts, audience: Audience | None, *, is_drained: bool) -> dict[str, Any]:
    row: dict[str, Any] = {
        "received": counts.received if audience is None else audience.received,
        "replied": counts.replied if audience is None else audience.replied,
        "sent": counts.sent,
        "failed": counts.failed,
        "unknown": counts.unknown,
        "lost": None,
        "own_ms_p50": percentile(counts.own_ms, 0.5),
        "own_ms_p99": percentile(counts.own_ms, 0.99),
    }
    if is_drained:
        owed = counts.pending if audience is None else audience.owed
        row["lost"] = max(0, owed - counts.failed - counts.unknown)
    return row


def _cells(row: Mapping[str, Any]) -> Iterable[str]:
    yield from (str(row[name]) for name in COUNTED)
    yield _ms(row["own_ms_p50"])
    yield _ms(row["own_ms_p99"])


def _title(result: Mapping[str, Any]) -> str:
    bare = result.get("bare_own_ms_p50")
    beside = f"; own time p50 of the bare yardstick {_ms(bare)} ms, ratio {result['ratio']}" if bare is not None else ""
    return f"{result['seconds']:.0f} s{beside}"


def _verdict(result: Mapping[str, Any]) -> str | None:
    if result["lost"] is None:
        return None
    if is_whole(result):
        return "nothing lost, the books balance"
    return f"LOST: {result['lost']}; not accounted for in the log: {result['residual']}"


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"
