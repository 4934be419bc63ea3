"""`mprun runs` lists runs, and `mprun runs prune` removes runs that are no longer wanted."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

import typer

from mprun.cli.amounts import age, since, size, size_text
from mprun.cli.options import RunsDir
from mprun.cli.output import say, show, table
from mprun.cli.runs_dir import RUNS_DIR
from mprun.errors.exceptions import ExitCode, UsageError
from mprun.runs.find import is_run_id
from mprun.runs.history import PastRun, past_runs
from mprun.runs.prune import Keep, folder_size, prune, to_prune
from mprun.sinks.text import counts_text, duration, plural, shown

_HEADING = ("run", "workflow", "started (UTC)", "took", "outcome", "tasks")


command = typer.Typer(invoke_without_command=True, rich_markup_mode=None, add_completion=False)


@command.callback()
def list_runs(
    context: typer.Context,
    failed: Annotated[bool, typer.Option("--failed", help="Only runs that have ended and did not succeed.")] = False,
    since_text: Annotated[
        str, typer.Option("--since", metavar="WHEN", help="Only runs since then: `7d`, `12h`, `2026-01-31`.")
    ] = "",
    workflow: Annotated[
        str, typer.Option("--workflow", metavar="NAME", help="Only runs of this workflow: its name or its file.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="The runs as JSON.")] = False,
    runs_dir: RunsDir = RUNS_DIR,
) -> ExitCode:
    """List the runs so far, the latest last."""
    earliest = since(since_text, datetime.now(UTC)) if since_text else None
    wanted = partial(_is_wanted, failed=failed, earliest=earliest, workflow=workflow)
    context.obj = (runs_dir, wanted)
    if context.invoked_subcommand is not None:
        if as_json:
            raise UsageError("`--json` is for the list: `mprun runs --json`")
        return ExitCode.SUCCEEDED
    runs = [run for run in past_runs(runs_dir) if wanted(run)]
    if as_json:
        show(json.dumps([run.document() for run in runs], ensure_ascii=False, indent=2) + "\n")
    elif runs:
        show(table([_HEADING, *map(_row, runs)]))
    else:
        say(f"there is no such run in {os.path.join(runs_dir, 'runs')}\n")
    return ExitCode.SUCCEEDED


@command.command("prune")
def prune_runs(
    context: typer.Context,
    keep: Annotated[
        int | None,
        typer.Option(
            "--keep", metavar="N", min=0, help="Keep the latest N, whatever their age or size.", show_default=False
        ),
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
) -> ExitCode:
    """Remove runs by number, age or size; the index keeps their last seals.

    What `mprun runs` takes chooses among them: `mprun runs --failed prune --keep 3`. A run at work stays.
    """
    outer, wanted = context.obj
    runs_dir = runs_dir or outer
    bounds = Keep(
        keep,
        age(older_than, "--older-than") if older_than else None,
        size(max_size, "--max-size") if max_size else None,
    )
    if bounds == Keep():
        raise UsageError("say what is to be kept: `--keep N`, `--older-than 30d` or `--max-size 2G`")
    runs = [run for run in past_runs(runs_dir) if is_run_id(run.run_id) and run.state != "missing" and wanted(run)]
    sizes = {run.run_id: folder_size(os.path.join(runs_dir, "runs", run.run_id)) for run in runs}
    pruned = to_prune(runs, [sizes[run.run_id] for run in runs], bounds, datetime.now(UTC))
    for run in pruned:
        if not dry_run:
            prune(runs_dir, run)
        show(f"{'would remove' if dry_run else 'removed'} {run.run_id} ({run.state}, {size_text(sizes[run.run_id])})\n")
    total = size_text(sum(sizes[run.run_id] for run in pruned))
    would = " would be" if dry_run else ""
    say(f"{plural(len(pruned), 'run')}, {total}{would} removed; {len(runs) - len(pruned):,} kept\n")
    return ExitCode.SUCCEEDED


def _is_wanted(run: PastRun, failed: bool, earliest: datetime | None, workflow: str) -> bool:
    if failed and run.state in ("succeeded", "running"):
        return False
    if earliest is not None and (run.began is None or run.began < earliest):
        return False
    return not workflow or workflow in (run.name, run.workflow, os.path.basename(run.workflow))


def _row(run: PastRun) -> tuple[str, ...]:
    started = run.started[:19].replace("T", " ")
    took = duration(run.duration) if run.duration is not None else ""
    return tuple(map(shown, (run.run_id, run.name, started, took, run.state, _tasks(run))))


def _tasks(run: PastRun) -> str:
    if run.outcomes is None:
        return ""
    counts = counts_text(run.outcomes, run.reused)
    return f"{run.tasks:,}{f': {counts}' if counts else ''}"
