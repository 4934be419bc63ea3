"""The commands on runs that are past or at work, and their options; `app` has them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from mprun.cli.arguments import RUNS_DIR
from mprun.cli.options import RunsDir

RunReference = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="A run: its id or the beginning of it, `latest`, or the path of its folder or log.",
        show_default=False,
    ),
]


class ExportFormat(StrEnum):
    chrome_trace = "chrome-trace"
    joblog = "joblog"
    csv = "csv"
    junit = "junit"
    otlp = "otlp"


runs = typer.Typer(invoke_without_command=True, rich_markup_mode=None)


@runs.callback()
def list_runs(
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
        from mprun.cli.commands.runs import show_runs

        end = show_runs(runs_dir, failed=failed, since_text=since, workflow=workflow, as_json=as_json)
        raise typer.Exit(int(end))
    context.obj = runs_dir


@runs.command()
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
    from mprun.cli.commands.runs import prune_runs

    folder = runs_dir or context.obj
    raise typer.Exit(int(prune_runs(folder, keep=keep, older_than=older_than, max_size=max_size, dry_run=dry_run)))


def show(
    run: RunReference,
    task: Annotated[
        str,
        typer.Argument(
            metavar="[TASK]",
            help="One task of it: `step[4]`, or the name of a process; or what children share: `shared.rows`.",
            show_default=False,
        ),
    ] = "",
    runs_dir: RunsDir = RUNS_DIR,
) -> None:
    """Tell the story of a run, of one task of it, or of one thing that its children share."""
    from mprun.cli.commands.show import show_run, show_task, show_thing

    if task.startswith("shared."):
        end = show_thing(run, task.removeprefix("shared."), runs_dir=runs_dir)
    else:
        end = show_task(run, task, runs_dir=runs_dir) if task else show_run(run, runs_dir=runs_dir)
    raise typer.Exit(int(end))


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
    from mprun.cli.commands.logs import show_logs
    from mprun.log.reading.select import Selection, read_condition

    selection = Selection(event or (), step or (), outcome or (), read_condition(where))
    end = show_logs(run, runs_dir=runs_dir, selection=selection, following=follow, as_json=as_json)
    raise typer.Exit(int(end))


def query(
    run: RunReference,
    sql: Annotated[str, typer.Argument(metavar="SQL", help="A query of these tables.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a row.")] = False,
    runs_dir: RunsDir = RUNS_DIR,
) -> None:
    """Ask a run's log in SQL: the tables are events, tasks (each attempt), workers and steps.

    Needs the extra `query` (DuckDB).
    """
    from mprun.cli.commands.query import query_run

    raise typer.Exit(int(query_run(run, sql, runs_dir=runs_dir, as_json=as_json)))


def export(
    run: RunReference,
    form: Annotated[ExportFormat, typer.Option("--format", "-f", help="The form.", show_default=False)],
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="Write to FILE in place of standard output.")
    ] = "",
    runs_dir: RunsDir = RUNS_DIR,
) -> None:
    """Write a run's log in the form of another program.

    chrome-trace opens in Perfetto, joblog is GNU parallel's table, junit is for CI servers, otlp is
    OpenTelemetry's JSON.
    """
    from mprun.cli.commands.export import export_run

    raise typer.Exit(int(export_run(run, runs_dir=runs_dir, form=form.value, output=output)))


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
    from mprun.cli.commands.verify import verify_runs

    raise typer.Exit(int(verify_runs(runs, runs_dir=runs_dir, key=key, as_json=as_json)))
