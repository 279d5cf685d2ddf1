"""Ground rules of every test: no IRIS_* of the developer's shell, no traffic beyond this machine.

Loads the broker fixtures.
"""

import ipaddress
import os
import sys

import pytest
from hypothesis import settings

pytest_plugins = ["tests.harness.broker"]

# No time limit per example: a busy machine must not fail a law; pytest-timeout bounds each test as a whole. The
# examples are the same on every run, so that a change is judged by what it changed; `HYPOTHESIS_PROFILE=search` looks
# for new ones.
settings.register_profile("iris", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None, max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "iris"))

LOCAL_NAMES = {"localhost", "", None}


def refuse_strangers(event: str, args: tuple[object, ...]) -> None:
    """Audit hook: raises ConnectionRefusedError where Python is about to leave the loopback range.

    It sees every socket of Python's own, in whatever library; it does not see uvloop's or a child process's.
    """
    if event in ("socket.connect", "socket.sendto"):
        address = args[1]
        if isinstance(address, tuple):  # A Unix socket's address is a path.
            _require_loopback(address[0])
    elif event == "socket.getaddrinfo":
        _require_loopback(args[0])


def _require_loopback(host: object) -> None:
    name = host.decode() if isinstance(host, bytes) else host
    if name in LOCAL_NAMES:
        return
    try:
        is_local = ipaddress.ip_address(str(name).partition("%")[0]).is_loopback
    except ValueError:
        is_local = False
    if not is_local:
        raise ConnectionRefusedError(f"tests talk to loopback only, not to {name!r}")


sys.addaudithook(refuse_strangers)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test sets the IRIS_* variables that it means; fixtures of the session have read theirs before."""
    for name in [name for name in os.environ if name.startswith("IRIS_")]:
        monkeypatch.delenv(name)
