"""`mprun run`: prepare, choose where the log goes and what is shown, run, tell how it ended."""

from __future__ import annotations

from collections.abc import Callable

from mprun.cli.output import say
from mprun.engines.boot import boot
from mprun.errors import ExitCode, UsageError
from mprun.loading.given import GivenParams
from mprun.loading.prepare import Preparation


def run_file(
    file: str,
    given: GivenParams,
    *,
    log: str,
    runs_dir: str,
    max_parallel: int | None,
    quiet: bool,
    sign_key: str = "",
) -> ExitCode:
    """Run the workflow `file`. Raises WorkflowError, UsageError, and LogError where the log can't be created."""
    sign = _signer(sign_key, log)
    preparation = Preparation(file, given)
    try:
        # The check child is at work and the fork server boots: these imports cost no time of their own.
        if preparation.draft is not None:
            boot(preparation.draft)
        from mprun.planning.parallel import with_max_parallel
        from mprun.running.record import new_record, record_run
        from mprun.sinks.choose import choose_sinks
        from mprun.sinks.summary import Summary

        plan = preparation.finish()
        if max_parallel is not None:
            plan = with_max_parallel(plan, max_parallel)
    finally:
        preparation.close()
    record = new_record(plan, runs_dir, log=log, sign=sign)
    summary = Summary()
    sinks = [*choose_sinks(quiet=quiet, log_on_stdout=record.on_stdout), summary]
    end = record_run(plan, record, sinks, _tell_log_error)
    if not quiet or end.exit_code is not ExitCode.SUCCEEDED:
        say(summary.text(record.log))
    return end.exit_code


def _signer(key: str, log: str) -> Callable[[str], str] | None:
    if not key:
        return None
    if log == "-":
        raise UsageError("`--sign-key` needs a log in a file: the signature stands in the file beside it")
    from mprun.records.signing import signer

    return signer(key)


def _tell_log_error(reason: str) -> None:
    say(f"error: the log can't be written any more: {reason}; the run goes on without it\n")
