"""The command ``iris``. Each command imports what it needs when it runs, so that `iris inspect` starts at once.

Data goes to stdout, words to stderr; exit codes are listed in ``streams.cli.output``.
"""

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from streams.cli.channel_commands import channels_app
from streams.cli.loading import load
from streams.cli.output import CommandError, read_input, reported, say, write_lines
from streams.cli.process import die_with_parent
from streams.cli.template_commands import templates_app

app = typer.Typer(
    name="iris",
    help="Iris Streams connects chat platforms to an AI service through an event log.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
topics_app = typer.Typer(no_args_is_help=True, help="Create or check the topics against the registry.")
app.add_typer(topics_app, name="topics")
app.add_typer(channels_app, name="channels")
app.add_typer(templates_app, name="templates")

DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|)")
SECONDS_PER_UNIT = {"ms": 0.001, "": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}

PlatformArgument = Annotated[str, typer.Argument(help="Name of the platform, as in iris.toml.")]
FileArgument = Annotated[Path | None, typer.Argument(help="File to read; stdin when left out.")]
ChannelOption = Annotated[str, typer.Option("--channel", metavar="ID", help="Channel that it belongs to.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable output on stdout.")]


@app.command()
def inspect(platform: PlatformArgument, file: FileArgument = None, channel: ChannelOption = "main") -> None:
    """What would we make of this webhook body? One event envelope per line. Needs no broker."""
    with reported():
        from streams.cli.inspect import inspect as inspect_body

        lines, notes = inspect_body(platform, read_input(file), channel_id=channel)
        _answer(lines, notes)


@app.command()
def render(platform: PlatformArgument, file: FileArgument = None, channel: ChannelOption = "main") -> None:
    """What would we call for this outbound message? One API call per line, secrets redacted. Needs no broker."""
    with reported():
        from streams.cli.render import render as render_message

        calls, changes = render_message(platform, read_input(file), channel_id=channel)
        _answer(calls, [f"changed: {change}" for change in changes])


@topics_app.command("ensure")
def topics_ensure() -> None:
    """Create the topics that are missing; refuse when one has another number of partitions."""
    with reported():
        from streams.cli.topics import ensure

        ensure(load())


@topics_app.command("list")
def topics_list(as_json: JsonOption = False) -> None:
    """Every topic as wanted and as found."""
    with reported():
        from streams.cli.topics import list_all

        list_all(load(), as_json=as_json)


@app.command()
def intake() -> None:
    """Take webhooks in, on this machine, until SIGTERM."""
    with reported():
        from streams.cli import parts

        parts.intake(load())


@app.command()
def worker(
    stages: Annotated[str, typer.Option(metavar="A,B,…", help="Stages to run, one process each.")],
) -> None:
    """Run stages apart from the others, on this machine, until SIGTERM."""
    with reported():
        from streams.cli import parts

        parts.worker(load(), [name.strip() for name in stages.split(",") if name.strip()])


@app.command()
def serve(
    demo: Annotated[bool, typer.Option("--demo", help="Add simulated platforms and traffic.")] = False,
    for_: Annotated[str | None, typer.Option("--for", metavar="60s", help="End by itself, with a summary.")] = None,
    rate: Annotated[float, typer.Option(min=0.1, max=1000, help="Demo: messages a second over all platforms.")] = 20.0,
    bare: Annotated[bool, typer.Option("--bare/--no-bare", help="Demo: measure the bare yardstick first.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Everything in one process tree: broker when none is named, topics, all stages, an AI service."""
    with reported():
        from streams.cli.serve import Order, run_serve

        seconds = None if for_ is None else parse_duration(for_)
        run_serve(load(), Order(demo=demo, seconds=seconds, rate_per_s=rate, bare=bare, as_json=as_json))


def parse_duration(text: str) -> float:
    """``60s``, ``2m``, ``1h`` or plain seconds, in seconds; raises CommandError (exit 2)."""
    match = DURATION.fullmatch(text.strip())
    if match is None or float(match[1]) <= 0:
        raise CommandError(f"{text!r} is no duration; write for example 60s, 2m or 1h", exit_code=2)
    return float(match[1]) * SECONDS_PER_UNIT[match[2]]


def _answer(lines: Iterable[object], notes: Iterable[str]) -> None:
    for note in notes:
        say(note)
    write_lines(lines)


def main() -> None:
    """Entry point of the console script."""
    die_with_parent()
    app(args=sys.argv[1:], prog_name="iris")
