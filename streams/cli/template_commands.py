"""The commands ``iris templates …`` as typer sees them; the work is in ``streams.cli.templates``, imported late."""

from typing import Annotated

import typer

from streams.cli.loading import load
from streams.cli.output import reported

templates_app = typer.Typer(
    no_args_is_help=True, help="Message templates that a platform approves before they are sent."
)

JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable output on stdout.")]
ChannelOption = Annotated[
    str | None, typer.Option("--channel", metavar="ID", help="ID or PLATFORM/ID; needed when several have templates.")
]
NameArgument = Annotated[str, typer.Argument(help="Name of the template.")]
LanguageOption = Annotated[str | None, typer.Option("--language", metavar="CODE", help="Like th or en_US.")]


@templates_app.command("list")
def templates_list(channel: ChannelOption = None, as_json: JsonOption = False) -> None:
    """Every template of the account, with its status."""
    with reported():
        from streams.cli.templates import list_all

        list_all(load(), channel, as_json=as_json)


@templates_app.command("create")
def templates_create(
    name: NameArgument,
    body: Annotated[str, typer.Option("--body", help="Text; its parameters are {{1}}, {{2}} …")],
    example: Annotated[list[str] | None, typer.Option("--example", help="Value of a parameter; once for each.")] = None,
    language: LanguageOption = None,
    category: Annotated[str, typer.Option("--category", help="Like UTILITY or MARKETING.")] = "",
    header: Annotated[str, typer.Option("--header", help="Title above the body.")] = "",
    footer: Annotated[str, typer.Option("--footer", help="Small print below it.")] = "",
    channel: ChannelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hand a template in for approval. In Thai unless --language says otherwise."""
    with reported():
        from streams.cli.templates import Order, create

        order = Order(name, body, language, category.upper(), tuple(example or ()), header, footer)
        create(load(), channel, order, as_json=as_json)


@templates_app.command("status")
def templates_status(
    name: NameArgument, language: LanguageOption = None, channel: ChannelOption = None, as_json: JsonOption = False
) -> None:
    """Whether a template is approved; exit code 1 when not in every language shown."""
    with reported():
        from streams.cli.templates import status

        status(load(), channel, name, language, as_json=as_json)
