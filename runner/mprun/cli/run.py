"""`mprun run`: prepare, choose where the log goes and what is shown, run, tell how it ended."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from mprun.cli.output import say
from mprun.engines.boot import boot
from mprun.errors import ExitCode
from mprun.loading.given import GivenParams
from mprun.loading.prepare import Preparation
from mprun.plan import Plan, plan_json


@dataclass(frozen=True, slots=True)
class LogPlace:
    """An open log: its descriptor and what it is called for people."""

    fd: int
    name: str

    @property
    def is_stdout(self) -> bool:
        return self.fd == 1


def run_file(
    file: str, given: GivenParams, *, log: str, runs_dir: str, max_parallel: int | None, quiet: bool
) -> ExitCode:
    """Run the workflow `file`. Raises WorkflowError, UsageError, and LogError where the log can't be created."""
    preparation = Preparation(file, given)
    try:
        # The check child is at work and the fork server boots: these imports cost no time of their own.
        if preparation.draft is not None:
            boot(preparation.draft)
        from mprun.planning.parallel import with_max_parallel
        from mprun.running.identity import new_run_id
        from mprun.running.run import run_plan
        from mprun.sinks.choose import choose_sinks
        from mprun.sinks.summary import Summary

        plan = preparation.finish()
        if max_parallel is not None:
            plan = with_max_parallel(plan, max_parallel)
    finally:
        preparation.close()
    run_id = new_run_id(time.time())
    place = _place_log(log, runs_dir, run_id, plan)
    summary = Summary()
    sinks = [*choose_sinks(quiet=quiet, log_on_stdout=place.is_stdout), summary]
    end = run_plan(plan, run_id, place.fd, sinks, _tell_log_error)
    if not quiet or end.exit_code is not ExitCode.SUCCEEDED:
        say(summary.text(place.name))
    return end.exit_code


def _place_log(log: str, runs_dir: str, run_id: str, plan: Plan) -> LogPlace:
    from mprun.running.folder import make_run_folder, write_new_file
    from mprun.sinks.log import open_log

    if log == "-":
        return LogPlace(1, "standard output")
    if log:
        return LogPlace(open_log(log), log)
    folder = make_run_folder(runs_dir, run_id)
    write_new_file(os.path.join(folder, "plan.json"), plan_json(plan))
    path = os.path.join(folder, "events.jsonl")
    return LogPlace(open_log(path), path)


def _tell_log_error(reason: str) -> None:
    say(f"error: the log can't be written any more: {reason}; the run goes on without it\n")
