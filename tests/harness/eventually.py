"""Patience without sleeps: a check that is tried again until it holds. Reads and writes nothing itself."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

Result = TypeVar("Result")


@overload
async def eventually(
    check: Callable[[], Awaitable[Result]], *, timeout_s: float = ..., interval_s: float = ...
) -> Result: ...


@overload
async def eventually(check: Callable[[], Result], *, timeout_s: float = ..., interval_s: float = ...) -> Result: ...


async def eventually(check: Callable[[], Any], *, timeout_s: float = 10.0, interval_s: float = 0.05) -> Any:
    """What ``check()`` returns (awaited if need be) the first time that it raises no AssertionError.

    Any other exception is passed on at once. After ``timeout_s`` the last AssertionError is raised, with the
    waiting time noted on it; the check runs at least once, and once more after the time is over.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        is_last = time.monotonic() >= deadline
        try:
            result = check()
            return await result if inspect.isawaitable(result) else result
        except AssertionError as error:
            if is_last:
                error.add_note(f"still so after {timeout_s} s")
                raise
        await asyncio.sleep(interval_s)
