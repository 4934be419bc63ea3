"""`mprun run`: prepares a plan, chooses the log and the display, runs, and reports how the run ended."""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from mprun.cli.output import say
from mprun.engines.boot import boot, boot_fork_server
from mprun.engines.table import POOL_ENGINES
from mprun.errors.exceptions import ExitCode, UsageError, WorkflowError
from mprun.loading.params.inputs import ParamInputs
from mprun.loading.prepare import Preparation
from mprun.loading.read.file import read_bytes
from mprun.plan.plan import Plan
from mprun.running.identity import GitState

if TYPE_CHECKING:
    from mprun.resuming.earlier import EarlierRun

# A workflow with one of these words may need no fork server, or one with more preloaded modules.
_AGAINST_BOOTING_AHEAD = (
    b"start_method",
    *(name.encode() for name, traits in POOL_ENGINES.items() if not traits.boots_ahead),
)


def run_file(
    file: str,
    inputs: ParamInputs,
    *,
    runs_dir: str,
    log: str = "",
    only: list[str] | None = None,
    first: int | None = None,
    max_parallel: int | None = None,
    inline: bool = False,
    quiet: bool = False,
    sign_key: str = "",
    earlier: EarlierRun | None = None,
) -> ExitCode:
    """Run the workflow `file`, and reuse what `earlier` has done.

    Raises WorkflowError, UsageError, and LogError if the log can't be created.
    """
    if inline and earlier is not None:
        raise UsageError("`--inline` makes every call and reuses none: leave out `--reuse`")
    gc.disable()  # imports create many objects and free none, so collections would be in vain
    sign = _signer(sign_key, log)
    if not inline:
        _boot_ahead(file)
    with GitState(os.path.dirname(file)) as git:
        plan = _prepare(file, inputs, boots=not inline)
        from mprun.planning.parallel import with_max_parallel
        from mprun.running.record import new_record, record_run
        from mprun.sinks.display import choose_sinks
        from mprun.sinks.summary import Summary

        if only or first is not None:
            from mprun.planning.only import narrowed

            plan = narrowed(plan, only or (), first)
            _warn_about_trial(plan)
        if max_parallel is not None:
            plan = with_max_parallel(plan, max_parallel)
        if inline:
            _warn_about_inline(plan)
        if earlier is not None:
            _warn_about_earlier(plan, earlier)
            if not quiet:
                from mprun.resuming.params import left_out

                say(left_out(inputs, plan))
        record = new_record(plan, runs_dir, log=log, sign=sign)
        summary = Summary()
        sinks = [*choose_sinks(quiet=quiet, log_on_stdout=record.on_stdout, inline=inline), summary]
        gc.enable()
        end = record_run(plan, record, sinks, _report_log_error, git, earlier, inline=inline)
    whole = not quiet or end.exit_code is not ExitCode.SUCCEEDED
    if text := summary.text(record.log) if whole else summary.warnings():
        say(text)
    return end.exit_code


def _boot_ahead(file: str) -> None:
    """Boot the fork server that most workflows need. A server booted in vain ends with this process."""
    with contextlib.suppress(WorkflowError):
        text = read_bytes(file)
        if not any(word in text for word in _AGAINST_BOOTING_AHEAD):
            boot_fork_server()


def _warn_about_inline(plan: Plan) -> None:
    """Reject what can't run in one process, and print which limits don't apply. Raises UsageError."""
    from mprun.planning.inline import ignored_inline, refuse_inline

    refuse_inline(plan)
    if ignored := ignored_inline(plan):
        say(f"warning: a run in one process doesn't keep {ignored}\n")


def _warn_about_trial(plan: Plan) -> None:
    from mprun.planning.trial import trial_warnings

    for warning in trial_warnings(plan):
        say(f"warning: {warning}\n")


def _warn_about_earlier(plan: Plan, earlier: EarlierRun) -> None:
    from mprun.plan.trial import may_reuse

    if not may_reuse(plan, earlier):
        say(f"warning: nothing of {earlier.run_id} is reused, as it was a trial: its files are in its own folder\n")


def _prepare(file: str, inputs: ParamInputs, *, boots: bool) -> Plan:
    """Return the plan of `file`. While a child checks its targets, import what running it needs."""
    preparation = Preparation(file, inputs)
    try:
        if preparation.draft is not None and boots:
            boot(preparation.draft)
        import mprun.running.record
        import mprun.sinks.display  # noqa: F401 -- imported here for later use

        return preparation.finish()
    finally:
        preparation.close()


def _signer(key: str, log: str) -> Callable[[str], str] | None:
    if not key:
        return None
    if log == "-":
        raise UsageError("`--sign-key` needs a log in a file: the signature stands in the file beside it")
    from mprun.log.verifying.signing import signer

    return signer(key)


def _report_log_error(reason: str) -> None:
    say(f"error: the log can't be written any more: {reason}; the run goes on without it\n")
