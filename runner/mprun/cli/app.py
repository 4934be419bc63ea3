"""The commands and their options. Each imports what it needs when it is called: start-up is part of every run."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from mprun import __version__
from mprun.cli import again, on_runs
from mprun.cli.arguments import RUNS_DIR
from mprun.cli.options import Explain, MaxParallel, Param, ParamsFile, Quiet, RunsDir, SignKey
from mprun.errors.exceptions import UsageError

if TYPE_CHECKING:
    from mprun.loading.params.inputs import GivenParams
    from mprun.resuming.earlier import EarlierRun

app = typer.Typer(
    name="mprun",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["--help"]},
)

WorkflowFile = Annotated[str, typer.Argument(metavar="FILE", help="The workflow file.", show_default=False)]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="STEP[@CELL]",
        help="Only this step, or this cell of it, and what it needs. May be given again.",
        show_default=False,
    ),
]
First = Annotated[
    int | None,
    typer.Option(
        "--first", metavar="N", min=1, help="Only the first N items of each pool and fan-out.", show_default=False
    ),
]
NoImport = Annotated[bool, typer.Option("--no-import", help="Don't import the targets to check them.")]


def _given(assignments: list[str] | None, file: str) -> GivenParams:
    from mprun.loading.params.inputs import given_params

    return given_params(assignments or [], file, os.environ)


def _earlier(reuse: str, runs_dir: str, *, explain: bool) -> EarlierRun | None:
    if not reuse:
        if explain:
            raise UsageError("`--explain` tells what would be taken over: `--reuse RUN` says from which run")
        return None
    from mprun.resuming.earlier import earlier_run

    return earlier_run(reuse, runs_dir)


class GraphFormat(StrEnum):
    text = "text"
    mermaid = "mermaid"
    dot = "dot"


class SchemaName(StrEnum):
    workflow = "workflow"
    event = "event"


def _version(wanted: bool) -> None:
    if wanted:
        from mprun.cli.output import show

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


@app.command()
def run(
    file: WorkflowFile,
    param: Param = None,
    params: ParamsFile = "",
    log: Annotated[
        str, typer.Option("--log", metavar="PATH", help="Write the event log to PATH; `-` is standard output.")
    ] = "",
    runs_dir: RunsDir = RUNS_DIR,
    only: Only = None,
    first: First = None,
    reuse: Annotated[
        str,
        typer.Option(
            "--reuse", metavar="RUN", help="Take over what this earlier run has done and is still the same work."
        ),
    ] = "",
    explain: Explain = False,
    max_parallel: MaxParallel = None,
    inline: Annotated[
        bool, typer.Option("--inline", help="Make all calls in one process, one by one: for a debugger or coverage.")
    ] = False,
    quiet: Quiet = False,
    sign_key: SignKey = "",
) -> None:
    """Run a workflow."""
    from mprun.cli.run_file import run_file

    given = _given(param, params)
    earlier = _earlier(reuse, runs_dir, explain=explain)
    if earlier is not None and explain:
        from mprun.cli.commands.resume import explain_run

        raise typer.Exit(int(explain_run(file, given, earlier, only=only, first=first)))
    code = run_file(
        file,
        given,
        log=log,
        runs_dir=runs_dir,
        only=only,
        first=first,
        max_parallel=max_parallel,
        inline=inline,
        quiet=quiet,
        sign_key=sign_key,
        earlier=earlier,
    )
    raise typer.Exit(int(code))


@app.command()
def validate(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="The workflow files.", show_default=False)],
    param: Param = None,
    params: ParamsFile = "",
    no_import: NoImport = False,
) -> None:
    """Say everything that is wrong with workflow files; start nothing."""
    from mprun.cli.commands.look import validate_files

    raise typer.Exit(int(validate_files(files, _given(param, params), check_targets=not no_import)))


@app.command()
def plan(
    file: WorkflowFile,
    param: Param = None,
    params: ParamsFile = "",
    as_json: Annotated[bool, typer.Option("--json", help="The whole plan as JSON.")] = False,
    as_python: Annotated[
        bool, typer.Option("--python", help="The plain multiprocessing program that does the same work.")
    ] = False,
    only: Only = None,
    first: First = None,
    no_import: NoImport = False,
) -> None:
    """Show what a workflow would start, and in which order."""
    from mprun.cli.commands.look import show_plan

    given = _given(param, params)
    show_plan(file, given, as_json=as_json, as_python=as_python, only=only, first=first, check_targets=not no_import)


@app.command()
def graph(
    file: WorkflowFile,
    param: Param = None,
    params: ParamsFile = "",
    form: Annotated[GraphFormat, typer.Option("--format", help="For people, Mermaid or Graphviz.")] = GraphFormat.text,
) -> None:
    """Show which step waits for which, and why; imports no target."""
    from mprun.cli.commands.look import show_graph

    show_graph(file, _given(param, params), form.value)


@app.command()
def params(file: WorkflowFile) -> None:
    """List the parameters of a workflow: what each takes, and how to give it."""
    from mprun.cli.commands.look import show_params

    show_params(file)


@app.command()
def schema(
    name: Annotated[SchemaName, typer.Argument(help="Which schema.", show_default=False)],
    as_markdown: Annotated[bool, typer.Option("--markdown", help="The page that describes the events.")] = False,
) -> None:
    """Print the JSON Schema of workflows or of events."""
    from mprun.cli.commands.look import show_schema

    show_schema(name.value, as_markdown=as_markdown)


app.add_typer(on_runs.runs, name="runs")
for command in (again.resume, again.repro, on_runs.show, on_runs.logs, on_runs.query, on_runs.export, on_runs.verify):
    app.command()(command)
