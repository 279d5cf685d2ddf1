"""Who owns a data directory: the cluster it was formatted for, and the process that serves it now.

Reads and writes ``cluster.json`` and ``lock`` in the directory.
"""

import base64
import fcntl
import json
import os
import uuid
from pathlib import Path
from typing import IO

from streams.broker.errors import DataDirInUse


def cluster_identity(path: Path, *, nodes: int) -> str:
    """The cluster id kept at ``path``, made up and stored there the first time.

    Raises DataDirInUse when the directory was formatted for another number of nodes.
    """
    if path.exists():
        stored = json.loads(path.read_text(encoding="utf-8"))
        if stored["nodes"] != nodes:
            raise DataDirInUse(
                f"{path.parent} holds a cluster of {stored['nodes']} node(s), not {nodes}: "
                "use another data directory (IRIS_DATA_DIR), or delete this one"
            )
        return str(stored["cluster_id"])
    # Kafka's own form: a UUID as 22 characters of URL-safe base64. A leading dash would read as an option.
    cluster_id = "i" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")[1:]
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps({"cluster_id": cluster_id, "nodes": nodes}) + "\n", encoding="utf-8")
    beside.replace(path)
    return cluster_id


class DirLock:
    """One process per data directory; the kernel frees the lock when that process ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    @property
    def is_held(self) -> bool:
        return self._file is not None

    def acquire(self) -> None:
        """Does nothing when held by us; raises DataDirInUse, naming the holder, when another has it."""
        if self._file is not None:
            return
        file = self._path.open("a+", encoding="ascii")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise DataDirInUse(
                f"{self._path.parent} is served by another broker (started by pid {holder}): "
                "stop that one, or set IRIS_DATA_DIR to another directory"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        self._file = file

    def release(self) -> None:
        """Does nothing when not held."""
        if self._file is not None:
            self._file.close()
            self._file = None
