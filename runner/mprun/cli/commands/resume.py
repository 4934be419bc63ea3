"""`mprun resume` and `mprun run --reuse`: find the earlier run, plan again, run what is left or tell what that is."""

from __future__ import annotations

from mprun.cli.output import show
from mprun.cli.run_file import run_file
from mprun.errors.exceptions import ExitCode
from mprun.loading.params.inputs import GivenParams
from mprun.resuming.earlier import EarlierRun, earlier_run
from mprun.resuming.explain import explanation
from mprun.resuming.params import Options, params_as_before


def resume_run(
    reference: str,
    options: Options,
    *,
    runs_dir: str,
    max_parallel: int | None,
    quiet: bool,
    sign_key: str,
) -> ExitCode:
    """Run what the run has left to do. Raises WorkflowError, UsageError, LogError."""
    earlier = earlier_run(reference, runs_dir)
    return run_file(
        earlier.workflow,
        params_as_before(earlier, options),
        runs_dir=runs_dir,
        only=earlier.only,
        first=earlier.first,
        max_parallel=max_parallel,
        quiet=quiet,
        sign_key=sign_key,
        earlier=earlier,
    )


def explain_resume(reference: str, options: Options, *, runs_dir: str) -> ExitCode:
    """Tell what `resume_run` would do. Raises WorkflowError, UsageError."""
    earlier = earlier_run(reference, runs_dir)
    given = params_as_before(earlier, options)
    return explain_run(earlier.workflow, given, earlier, only=earlier.only, first=earlier.first)


def explain_run(
    file: str, given: GivenParams, earlier: EarlierRun, *, only: list[str] | None, first: int | None
) -> ExitCode:
    """Tell what a run of `file` would take over from `earlier`. Raises WorkflowError, UsageError."""
    from mprun.loading.prepare import prepare
    from mprun.planning.only import narrowed

    plan = prepare(file, given)
    show(explanation(narrowed(plan, only or (), first) if only or first is not None else plan, earlier))
    return ExitCode.SUCCEEDED
