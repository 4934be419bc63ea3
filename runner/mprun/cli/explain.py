"""`--explain` of `mprun run --reuse` and `mprun resume`: shows what a run would reuse."""

from __future__ import annotations

from mprun.cli.output import say, show
from mprun.errors.exceptions import ExitCode
from mprun.loading.params.inputs import ParamInputs
from mprun.loading.prepare import prepare
from mprun.planning.only import narrowed
from mprun.resuming.earlier import EarlierRun
from mprun.resuming.explain import explanation
from mprun.resuming.params import left_out


def explain_run(
    file: str, inputs: ParamInputs, earlier: EarlierRun, *, only: list[str] | None, first: int | None
) -> ExitCode:
    """Print what a run of `file` would reuse of `earlier`. Raises WorkflowError, UsageError."""
    plan = prepare(file, inputs)
    say(left_out(inputs, plan))
    show(explanation(narrowed(plan, only or (), first), earlier))
    return ExitCode.SUCCEEDED
