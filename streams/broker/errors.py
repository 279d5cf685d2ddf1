"""What can go wrong with a broker, sorted by what the caller can do. Reads and writes nothing.

BrokerError
├── BrokerUnavailable   nothing to start or reach: install or name something, as the text says
├── PortInUse           another process holds the named port
├── DataDirInUse        another broker, or one of another shape, owns the data directory
├── BrokerStartFailed   it was started and did not become ready; the text ends with its log
└── BrokerDied          it was ready and ended by itself
"""

from pathlib import Path


class BrokerError(Exception):
    """Base of this package's errors; the text says what is wrong, where, and the fix."""


class BrokerUnavailable(BrokerError):
    """There is no broker to talk to and nothing here to start one with."""


class PortInUse(BrokerError):
    """A port that somebody named is held by another process."""

    def __init__(self, port: int, holder: str) -> None:
        super().__init__(
            f"port {port} is in use by {holder}: stop it, set IRIS_KAFKA_PORT to another port, "
            "or unset IRIS_KAFKA_PORT to take a free one"
        )
        self.port = port


class DataDirInUse(BrokerError):
    """The data directory belongs to a broker that runs, or to a cluster of another size."""


class BrokerStartFailed(BrokerError):
    """The process ended, or did not answer in time; the text ends with the tail of its log."""


class BrokerDied(BrokerError):
    """A broker process that nobody asked to stop has ended."""


def tail(log: Path, *, lines: int = 15) -> str:
    """The last lines of a broker's log, for an error's text; says so when there are none."""
    try:
        text = log.read_bytes()[-20_000:].decode(errors="replace").strip()
    except OSError:
        text = ""
    if not text:
        return f"({log} is empty)"
    return "\n".join([f"the end of {log}:", *text.splitlines()[-lines:]])
