"""The commands ``iris channels …`` as typer sees them; the work is in ``streams.cli.channels``, imported late."""

from typing import Annotated

import typer

from streams.cli.loading import load
from streams.cli.output import reported

channels_app = typer.Typer(no_args_is_help=True, help="List, check and register the configured channels.")

JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable output on stdout.")]
WhichArgument = Annotated[str | None, typer.Argument(metavar="[CHANNEL]", help="ID or PLATFORM/ID; all when left out.")]
UrlOption = Annotated[
    str | None, typer.Option("--url", metavar="https://HOST", help="Public address in front of IRIS_PORT.")
]


@channels_app.command("list")
def channels_list(as_json: JsonOption = False) -> None:
    """Every configured channel: webhook path, which credentials are set, last known health."""
    with reported():
        from streams.cli.channels import list_all

        list_all(load(), as_json=as_json)


@channels_app.command("check")
def channels_check(channel: WhichArgument = None, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Ask the platforms whether everything is in order; says what to do or click. Changes nothing."""
    with reported():
        from streams.cli.channels import check

        check(load(), channel, base=url, as_json=as_json)


@channels_app.command("register")
def channels_register(channel: WhichArgument = None, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Make the platforms deliver their webhooks here, where an API exists; says what to click where none does."""
    with reported():
        from streams.cli.channels import register

        register(load(), channel, base=url, as_json=as_json)
