"""The ground rules that tests/conftest.py and tests/harness lay for all others."""

import os
import socket

import pytest

from tests.harness.eventually import eventually


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("10.0.0.1", 9092), ("2001:db8::1", 80, 0, 0)])
def test_no_socket_leaves_the_loopback_range(address: tuple[str, int]) -> None:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as stranger:
        stranger.settimeout(0.1)
        with pytest.raises(ConnectionRefusedError, match="loopback only"):
            stranger.connect(address)


def test_no_name_is_looked_up_beyond_this_machine() -> None:
    with pytest.raises(ConnectionRefusedError, match=r"not to 'graph\.example\.com'"):
        socket.getaddrinfo("graph.example.com", 443)
    assert socket.getaddrinfo("localhost", 80)


def test_the_environment_of_a_test_has_no_settings() -> None:
    assert not [name for name in os.environ if name.startswith("IRIS_")]


async def test_eventually_returns_the_first_result_that_holds() -> None:
    attempts = 0

    def third_time() -> int:
        nonlocal attempts
        attempts += 1
        assert attempts == 3
        return attempts

    assert await eventually(third_time, interval_s=0.001) == 3


async def test_eventually_awaits_a_coroutine_and_passes_other_errors_on() -> None:
    async def broken() -> None:
        raise LookupError("not a matter of patience")

    with pytest.raises(LookupError):
        await eventually(broken)


async def test_eventually_gives_up_with_the_last_failure() -> None:
    def never() -> None:
        raise AssertionError("still empty")

    with pytest.raises(AssertionError, match="still empty") as failure:
        await eventually(never, timeout_s=0.01, interval_s=0.001)
    assert failure.value.__notes__ == ["still so after 0.01 s"]
