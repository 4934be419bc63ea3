"""The commands and their options. Each imports what it needs when it is called: start-up is part of every run."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from mprun import __version__
from mprun.cli.words import RUNS_DIR, RUNS_DIR_VARIABLE

if TYPE_CHECKING:
    from mprun.loading.given import GivenParams

app = typer.Typer(
    name="mprun",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["--help"]},
)

WorkflowFile = Annotated[str, typer.Argument(metavar="FILE", help="The workflow file.", show_default=False)]
Param = Annotated[
    list[str] | None,
    typer.Option("--param", "-p", metavar="NAME=VALUE", help="Give a parameter its value.", show_default=False),
]
ParamsFile = Annotated[
    str, typer.Option("--params", metavar="FILE", help="A YAML file of parameters and their values.")
]
NoImport = Annotated[bool, typer.Option("--no-import", help="Don't import the targets to check them.")]
RunsDir = Annotated[
    str, typer.Option("--runs-dir", envvar=RUNS_DIR_VARIABLE, metavar="DIR", help="Where the runs are kept.")
]

RunReference = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="A run: its id or the beginning of it, `latest`, or the path of its folder or log.",
        show_default=False,
    ),
]


def _given(assignments: list[str] | None, file: str) -> GivenParams:
    from mprun.loading.given import given_params

    return given_params(assignments or [], file, os.environ)


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
    max_parallel: Annotated[
        int | None,
        typer.Option(
            "--max-parallel",
            "-j",
            metavar="N",
            min=1,
            help="How many children may be at work at once.",
            show_default=False,
        ),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Show only what children print, and what went wrong.")
    ] = False,
    sign_key: Annotated[
        str,
        typer.Option("--sign-key", metavar="KEY", help="Sign the finished log with the Ed25519 key in the file KEY."),
    ] = "",
) -> None:
    """Run a workflow."""
    from mprun.cli.run import run_file

    given = _given(param, params)
    code = run_file(file, given, log=log, runs_dir=runs_dir, max_parallel=max_parallel, quiet=quiet, sign_key=sign_key)
    raise typer.Exit(int(code))


@app.command()
def validate(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="The workflow files.", show_default=False)],
    param: Param = None,
    params: ParamsFile = "",
    no_import: NoImport = False,
) -> None:
    """Say everything that is wrong with workflow files; start nothing."""
    from mprun.cli.look import validate_files

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
    no_import: NoImport = False,
) -> None:
    """Show what a workflow would start, and in which order."""
    from mprun.cli.look import show_plan

    show_plan(file, _given(param, params), as_json=as_json, as_python=as_python, check_targets=not no_import)


@app.command()
def schema(name: Annotated[SchemaName, typer.Argument(help="Which schema.", show_default=False)]) -> None:
    """Print the JSON Schema of workflows or of events."""
    from mprun.cli.look import show_schema

    show_schema(name.value)


runs_app = typer.Typer(invoke_without_command=True, rich_markup_mode=None)
app.add_typer(runs_app, name="runs")


@runs_app.callback()
def runs(
    context: typer.Context,
    failed: Annotated[bool, typer.Option("--failed", help="Only runs that have ended and did not succeed.")] = False,
    since: Annotated[
        str, typer.Option("--since", metavar="WHEN", help="Only runs since then: `7d`, `12h`, `2026-01-31`.")
    ] = "",
    workflow: Annotated[
        str, typer.Option("--workflow", metavar="NAME", help="Only runs of this workflow: its name or its file.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="The runs as JSON.")] = False,
    runs_dir: RunsDir = RUNS_DIR,
) -> None:
    """List the runs so far, the latest last."""
    if context.invoked_subcommand is None:
        from mprun.cli.runs import show_runs

        end = show_runs(runs_dir, failed=failed, since_text=since, workflow=workflow, as_json=as_json)
        raise typer.Exit(int(end))
    context.obj = runs_dir


@runs_app.command()
def prune(
    context: typer.Context,
    keep: Annotated[
        int | None, typer.Option("--keep", metavar="N", min=0, help="Keep the latest N.", show_default=False)
    ] = None,
    older_than: Annotated[
        str, typer.Option("--older-than", metavar="TIME", help="Remove what began longer ago: `30d`, `12h`.")
    ] = "",
    max_size: Annotated[
        str, typer.Option("--max-size", metavar="SIZE", help="Keep the latest that take no more room: `2G`.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be removed; remove nothing.")] = False,
    runs_dir: Annotated[
        str, typer.Option("--runs-dir", metavar="DIR", help="Where the runs are kept.", show_default=False)
    ] = "",
) -> None:
    """Remove runs by number, age or size; the index keeps their last seals."""
    from mprun.cli.runs import prune_runs

    folder = runs_dir or context.obj
    raise typer.Exit(int(prune_runs(folder, keep=keep, older_than=older_than, max_size=max_size, dry_run=dry_run)))


@app.command()
def show(
    run: RunReference,
    task: Annotated[
        str,
        typer.Argument(
            metavar="[TASK]", help="One task of it: `step[4]`, or the name of a process.", show_default=False
        ),
    ] = "",
    runs_dir: RunsDir = RUNS_DIR,
) -> None:
    """Tell the story of a run, or of one task of it."""
    from mprun.cli.show import show_run, show_task

    end = show_task(run, task, runs_dir=runs_dir) if task else show_run(run, runs_dir=runs_dir)
    raise typer.Exit(int(end))


@app.command()
def logs(
    run: RunReference,
    event: Annotated[
        list[str] | None,
        typer.Option("--event", "-e", metavar="NAME", help="Only these events: `task.result`, `worker.*`."),
    ] = None,
    step: Annotated[list[str] | None, typer.Option("--step", "-s", metavar="STEP", help="Only these steps.")] = None,
    outcome: Annotated[
        list[str] | None, typer.Option("--outcome", "-o", metavar="OUTCOME", help="Only these outcomes: `raised`.")
    ] = None,
    where: Annotated[
        str, typer.Option("--where", "-w", metavar="CONDITION", help="Only where this holds: `duration > 2s`.")
    ] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run ends.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The lines as they stand in the log.")] = False,
    runs_dir: RunsDir = RUNS_DIR,
) -> None:
    """Show the events of a run."""
    from mprun.cli.logs import show_logs
    from mprun.records.select import Selection, read_condition

    selection = Selection(event or (), step or (), outcome or (), read_condition(where))
    end = show_logs(run, runs_dir=runs_dir, selection=selection, following=follow, as_json=as_json)
    raise typer.Exit(int(end))


@app.command()
def verify(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...",
            help="The runs: ids or the beginnings of ids, `latest`, or paths of folders or logs.",
            show_default=False,
        ),
    ],
    key: Annotated[
        str, typer.Option("--key", metavar="KEY", help="The log must be signed; KEY is the file of the public key.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="What was found as JSON.")] = False,
    runs_dir: RunsDir = RUNS_DIR,
) -> None:
    """Tell whether the logs of runs are complete and unchanged.

    The last word is VERIFIED (exit code 0), TAMPERED (4), INCOMPLETE (5) or, with `--key`, UNSIGNED (6).
    """
    from mprun.cli.verify import verify_runs

    raise typer.Exit(int(verify_runs(runs, runs_dir=runs_dir, key=key, as_json=as_json)))
