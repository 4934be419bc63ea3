"""`mprun runs`: what was run, and `mprun runs prune`: taking away what is no longer wanted."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime

from mprun.cli.output import say, show
from mprun.cli.table import age, since, size, size_text, table
from mprun.errors.exceptions import ExitCode, UsageError
from mprun.runs.history import PastRun, past_runs
from mprun.runs.prune import Keep, folder_size, prune, to_prune
from mprun.sinks.text import duration, plural, shown

_HEADING = ("run", "workflow", "started (UTC)", "took", "outcome", "tasks")


def show_runs(runs_dir: str, *, failed: bool, since_text: str, workflow: str, as_json: bool) -> ExitCode:
    """Print the runs in `runs_dir`, the latest last; only those that are wanted. Raises UsageError."""
    earliest = since(since_text, datetime.now(UTC)) if since_text else None
    runs = [run for run in past_runs(runs_dir) if _is_wanted(run, failed, earliest, workflow)]
    if as_json:
        show(json.dumps([run.document() for run in runs], ensure_ascii=False, indent=2) + "\n")
    elif runs:
        show(table([_HEADING, *map(_row, runs)]))
    else:
        say(f"there is no such run in {os.path.join(runs_dir, 'runs')}\n")
    return ExitCode.SUCCEEDED


def prune_runs(runs_dir: str, *, keep: int | None, older_than: str, max_size: str, dry_run: bool) -> ExitCode:
    """Remove the runs that the bounds leave out, and say which. Raises UsageError."""
    bounds = Keep(
        keep,
        age(older_than, "--older-than") if older_than else None,
        size(max_size, "--max-size") if max_size else None,
    )
    if bounds == Keep():
        raise UsageError("say what is to be kept: `--keep N`, `--older-than 30d` or `--max-size 2G`")
    runs = [run for run in past_runs(runs_dir) if run.state != "missing"]
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
    counts = ", ".join(f"{count:,} {outcome.replace('_', ' ')}" for outcome, count in run.outcomes.items())
    return f"{run.tasks:,}{f': {counts}' if counts else ''}"
