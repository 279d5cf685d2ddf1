"""Fakes as configured channels: an ``iris.toml`` beside its secrets, and ``iris`` run against them in a thread."""

import asyncio
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from streams.cli.fakes import FakePlatform as Announced
from streams.cli.fakes import channels_toml
from streams.cli.main import app
from tests.fakes.base import FakePlatform


def configure(
    fakes: Sequence[FakePlatform], folder: Path, monkeypatch: pytest.MonkeyPatch, *, id: str = "shop"
) -> None:
    """Each fake as a channel ``id``, for as long as the test lasts."""
    announced = tuple(Announced(fake.name, fake.base_url, fake.channel_table(id), fake.environment()) for fake in fakes)
    file = folder / "iris.toml"
    file.write_text(channels_toml("", announced))
    monkeypatch.setenv("IRIS_CONFIG", str(file))
    monkeypatch.setenv("IRIS_DATA_DIR", str(folder / "data"))
    for fake in fakes:
        for name, value in fake.environment().items():
            monkeypatch.setenv(name, value)


async def iris(*arguments: str) -> tuple[int, list[dict[str, Any]], str]:
    """(exit code, JSON lines of stdout, stderr); with ``--json``. The fakes go on answering meanwhile."""
    code, out, said = await iris_text(*arguments, "--json")
    return code, [json.loads(line) for line in out.splitlines()], said


async def iris_text(*arguments: str) -> tuple[int, str, str]:
    """(exit code, stdout, stderr) as a person gets them."""
    result = await asyncio.to_thread(CliRunner().invoke, app, list(arguments), env=dict(os.environ))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr
