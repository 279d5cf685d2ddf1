"""Tells the other commands of this machine where the embedded broker of a data directory listens.

Reads and writes ``running.json`` beside the broker's log: written once it answers, removed when it is stopped. After a
SIGKILL the file stays, so what it says is asked for at the broker itself and never just believed.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from streams.broker.errors import BrokerUnavailable
from streams.broker.probe import describe_cluster
from streams.broker.runtime import NAME_A_BROKER
from streams.settings import Settings

FILE = "running.json"


@dataclass(frozen=True, slots=True)
class Running:
    """``bootstrap``: host:port,… of its nodes. ``pid``: the process that started it and ends with it."""

    bootstrap: str
    cluster_id: str
    pid: int


def embedded_dir(settings: Settings) -> Path:
    """Where an embedded broker keeps its data."""
    return settings.data_dir.absolute() / "kafka"


def announce(data_dir: Path, running: Running) -> None:
    """Write the file, whole or not at all."""
    beside = data_dir / f"{FILE}.new"
    beside.write_text(json.dumps(asdict(running)) + "\n", encoding="utf-8")
    beside.replace(data_dir / FILE)


def withdraw(data_dir: Path) -> None:
    """Remove the file; only whoever holds the directory's lock may."""
    (data_dir / FILE).unlink(missing_ok=True)


async def find_broker(settings: Settings) -> str:
    """Bootstrap servers: those that are named, unasked, else of the embedded broker that runs on our data directory.

    Raises BrokerUnavailable when there is neither, or when what the file says is no longer so.
    """
    if settings.kafka_bootstrap_servers is not None:
        return settings.kafka_bootstrap_servers
    file = embedded_dir(settings) / FILE
    running = _read(file)
    answers = [await _cluster_id_at(server) for server in running.bootstrap.split(",")]
    if running.cluster_id in answers:
        return running.bootstrap
    found = "another broker answers there" if any(answers) else "nothing answers there"
    process = f"process {running.pid}, which {'still runs' if _is_alive(running.pid) else 'has ended'}"
    raise BrokerUnavailable(
        f"{file} says that {process}, started a broker at {running.bootstrap}, but {found}: "
        f"restart `iris serve`, or {NAME_A_BROKER}"
    )


def _read(file: Path) -> Running:
    try:
        return Running(**json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise BrokerUnavailable(
            f"no broker is named (IRIS_KAFKA_BOOTSTRAP_SERVERS), and no `iris serve` runs on {file.parent.parent}: "
            f"start it, set IRIS_DATA_DIR to the data directory of one that runs, or {NAME_A_BROKER}"
        ) from None
    except (OSError, ValueError, TypeError) as error:
        raise BrokerUnavailable(f"{file} cannot be read ({error}): restart `iris serve`, or {NAME_A_BROKER}") from error


async def _cluster_id_at(server: str) -> str | None:
    host, _, port = server.rpartition(":")
    cluster = await describe_cluster(host, int(port))
    return None if cluster is None else cluster.cluster_id


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
