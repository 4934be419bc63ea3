"""The parser of the command line. It imports a command's module only when that command is called."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from mprun import __version__
from mprun.cli.commands import COMMANDS
from mprun.cli.output import show
from mprun.errors.exceptions import ExitCode

if TYPE_CHECKING:
    # typer's own copy of click, or click itself with an older typer
    from typer._click import Command, Context, HelpFormatter


class _Commands(TyperGroup):
    """The commands of the table `COMMANDS`."""

    def list_commands(self, ctx: Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:
        return _parser(cmd_name) if cmd_name in COMMANDS else None

    def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:
        """List the commands by the summaries in the table, which needs no imports."""
        listed = [TyperCommand(name, help=summary) for name, summary in COMMANDS.items()]
        TyperGroup(commands=listed).format_commands(ctx, formatter)


def _parser(name: str) -> Command:
    command = import_module(f"mprun.cli.commands.{name}").command
    if not isinstance(command, typer.Typer):
        function, command = command, typer.Typer(add_completion=False, rich_markup_mode=None)
        command.command(name)(function)
    parser: Command = typer.main.get_command(command)
    parser.name = name
    return parser


def _exit(code: ExitCode, **options: Any) -> None:
    """Exit with `code`, which the command returned. `options` are those of `main`."""
    raise typer.Exit(int(code))


app = typer.Typer(
    cls=_Commands,
    name="mprun",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["--help"]},
    result_callback=_exit,
)


def _version(wanted: bool) -> None:
    if wanted:
        show(f"mprun {__version__}\n")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Run the multiprocessing Processes and Pools that a YAML file declares, and log each start, join and result.

    `mprun FILE` is short for `mprun run FILE`.

    Exit codes: 0 all succeeded, 1 some work failed, 2 the command line or the workflow is wrong and nothing was
    started, 3 a fault of mprun, 130 and 143 interrupted.
    """
