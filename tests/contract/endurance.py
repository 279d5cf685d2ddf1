"""Seeded byte mutations of a platform's real bodies, thousands of them: none may crash, vanish, or cost much.

Pure: what intake does behind the proof, and what normalise makes of it, in one process. The same seed gives the same
bytes, so that what is found can be looked at again.
"""

import gc
import json
import random
import time
from dataclasses import dataclass

from connectors.errors import WebhookRejected
from connectors.interface import Accepted, Unprocessable
from schemas.registry import encode
from tests.contract.mutations import at, changed_bytes, paths_of
from tests.contract.specimens import Specimen

FLOORS_MAX = 12
"""What one input may cost, whatever it is, in units of ``floor_ms``: 50 ms on the machine where it was set."""

SUSPICIOUS_MS = 10.0
"""Below it nothing is asked again: no machine is so fast that twelve floors are less."""


def floor_ms() -> float:
    """CPU of a plain loop of this very interpreter, at this machine's present speed; the best of three."""

    def once_ms() -> float:
        began = time.thread_time()
        for _ in range(200_000):
            pass
        return (time.thread_time() - began) * 1000

    return min(once_ms() for _ in range(3))


@dataclass
class Endured:
    """What became of so many inputs."""

    tried: int = 0
    rejected: int = 0
    events: int = 0
    dead: int = 0
    cpu_ms_max: float = 0.0


def endure(specimen: Specimen, *, count: int, seed: int) -> Endured:
    """Raises AssertionError, which names the input, where one crashes, vanishes or takes too long."""
    chances = random.Random(f"{specimen.platform.name} {seed}")
    bodies = sorted(specimen.bodies.values())
    found = Endured()
    for _ in range(count):
        body = changed_bytes(chances.choice(bodies), chances)
        cpu_ms = _timed(specimen, body, found)
        if cpu_ms > SUSPICIOUS_MS:
            # The collector may have run just then, over objects of the whole test run.
            cpu_ms = min(_timed(specimen, body, Endured()) for _ in range(3))
            assert cpu_ms <= FLOORS_MAX * floor_ms(), f"{cpu_ms:.0f} ms of CPU for {body!r}"
        found.cpu_ms_max = max(found.cpu_ms_max, cpu_ms)
        found.tried += 1
    return found


def _timed(specimen: Specimen, body: bytes, found: Endured) -> float:
    gc.disable()
    began = time.thread_time()
    try:
        _handle(specimen, body, found)
    except Exception as error:
        raise AssertionError(f"{specimen.platform.name} crashed on {body!r}") from error
    finally:
        cpu_ms = (time.thread_time() - began) * 1000
        gc.enable()
    return cpu_ms


def _handle(specimen: Specimen, body: bytes, found: Endured) -> None:
    try:
        accepted = specimen.split(body)
    except WebhookRejected as rejected:
        if rejected.status not in (400, 413):
            raise AssertionError(f"{body!r} was refused with {rejected.status}") from rejected
        found.rejected += 1
        return
    assert not is_lost(body, accepted), f"{body!r} vanished"
    for record in accepted.records:
        made = specimen.platform.normalise(specimen.raw(record))
        if isinstance(made, Unprocessable):
            found.dead += 1
            continue
        assert made, f"a record of {body!r} became nothing"
        found.events += sum(1 for event in made if encode(event))


def is_lost(body: bytes, accepted: Accepted) -> bool:
    """Nothing came of the body, though it had something to say: no list of it is empty."""
    if accepted.records or accepted.refused:
        return False
    try:
        document = json.loads(body)
    except ValueError:
        return True
    lists = [held for held in (at(document, path) for path in paths_of(document)) if isinstance(held, list)]
    return all(lists)
