"""How commands speak: data on stdout, words on stderr, and one message with an exit code when they cannot go on.

Exit codes are those of ``sysexits.h``: 65 bad input, 66 no such file, 69 no broker, 70 a part of ours failed,
78 a wrong setting. Reads stdin or a named file; writes stdout and stderr.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import orjson
import typer

INPUT_BYTES_MAX = 16_000_000
"""Four times the largest webhook body that intake takes; more is refused unread."""


class CommandError(Exception):
    """A command cannot go on; ``str()`` is the whole message a person sees, ``exit_code`` the process's."""

    def __init__(self, message: str, *, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class BadInput(CommandError):
    """What was handed to the command is not what it takes (exit 65)."""

    def __init__(self, message: str) -> None:
        super().__init__(message, exit_code=os.EX_DATAERR)


def read_input(file: Path | None) -> bytes:
    """The whole of ``file``, or of stdin when it is None or ``-``; raises CommandError."""
    try:
        if file is None or str(file) == "-":
            data = sys.stdin.buffer.read(INPUT_BYTES_MAX + 1)
        else:
            with file.open("rb") as source:
                data = source.read(INPUT_BYTES_MAX + 1)
    except OSError as error:
        raise CommandError(f"cannot read {file}: {error.strerror}", exit_code=os.EX_NOINPUT) from error
    if len(data) > INPUT_BYTES_MAX:
        raise BadInput(f"the input is larger than {INPUT_BYTES_MAX} bytes; no platform sends that much")
    return data


def write_lines(items: Iterable[Any]) -> None:
    """One JSON document per line on stdout, each written as soon as it is there."""
    for item in items:
        line = item if isinstance(item, bytes) else orjson.dumps(item)
        sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


def say(message: str) -> None:
    """One line for a person, on stderr so that stdout stays data."""
    typer.echo(message, err=True)


@contextmanager
def reported() -> Iterator[None]:
    """Turns the errors a user can meet into one message and an exit code. (A closed pipe ends quietly by itself.)"""
    try:
        yield
    except CommandError as error:
        _fail(str(error), error.exit_code)


def _fail(message: str, exit_code: int) -> NoReturn:
    say(f"iris: {message}")
    raise typer.Exit(exit_code)
