"""What each cell of the README's table stands for: events of real payloads on the way in, plans on the way out."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from connectors.interface import Window
from connectors.registry import platforms
from schemas.envelope import AnyEvent
from tests.contract.outbound import cases, message_of
from tests.contract.specimens import specimens

MATRIX: dict[str, Any] = json.loads((Path(__file__).parents[1] / "corpora" / "matrix.json").read_text())


def columns() -> list[str]:
    """Platforms, as they are found."""
    return list(platforms())


def rows(way: str) -> list[str]:
    """Kinds ``in`` or ``out``."""
    return [row["row"] for row in MATRIX[way]]


def reason_of(platform: str, row: str) -> str | None:
    """Why an inbound kind is not there; None where it has to be."""
    reason: str | None = MATRIX["absent"].get(platform, {}).get(row)
    return reason


@cache
def events_of(platform: str) -> tuple[AnyEvent, ...]:
    """Everything that the platform's real payloads become."""
    specimen = specimens()[platform]
    records = [record for body in specimen.bodies.values() for record in specimen.split(body).records]
    return tuple(event for record in records for event in specimen.events(specimen.raw(record)))


def is_seen(platform: str, row: str) -> bool:
    """Whether a real payload of the platform becomes an event of this kind."""
    wanted = next(each for each in MATRIX["in"] if each["row"] == row)
    types = wanted["type"] if isinstance(wanted["type"], list) else [wanted["type"]]
    return any(
        event.type in types and all(_holds(event.data, path, value) for path, value in wanted["where"].items())
        for event in events_of(platform)
    )


def _holds(data: Any, path: str, value: Any) -> bool:
    found = data
    for name in path.split("."):
        found = getattr(found, name, None)
    if value == "*":
        return bool(found)
    return (found or "") in value if isinstance(value, list) else found == value


def case_of(row: str) -> str:
    """The message of the corpus that shows an outbound kind."""
    case: str = next(each["case"] for each in MATRIX["out"] if each["row"] == row)
    return case


@cache
def notes_of(platform: str, row: str) -> tuple[str, ...]:
    """What had to be changed to send this kind; empty where it goes out as it is."""
    specimen = specimens()[platform]
    message = message_of(cases()[case_of(row)], specimen.platform, peer=specimen.fake.native_user("ann"))
    window = Window(message.created_at, reply_token=message.reply_token, last_inbound_ms=message.last_inbound_at)
    calls = specimen.platform.plan(message, window, specimen.channel)
    return tuple(dict.fromkeys(change for call in calls for change in call.changes))
