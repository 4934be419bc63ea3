"""The parameters of a run that resumes another: those of the earlier run, overridden by the inputs of now."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mprun.loading.params.inputs import OF_RUN, ParamInput, ParamInputs, param_inputs
from mprun.plan.plan import Plan
from mprun.resuming.earlier import EarlierRun


@dataclass(frozen=True, slots=True)
class Options:
    """What is given for parameters now: `-p name=value` texts, a file of them (or none), the environment."""

    assignments: Sequence[str]
    file: str
    environ: Mapping[str, str]


def params_as_before(run: EarlierRun, options: Options) -> ParamInputs:
    """The weightiest are those of the command line, then come the run's own; the environment has what that lacks.

    A run doesn't keep its secrets. Raises UsageError, WorkflowError.
    """
    recorded = run.plan["params"]
    now = param_inputs(options.assignments, options.file, {})
    own = (ParamInput(name, value, False, f"{OF_RUN} {run.run_id}") for name, value in recorded.items())
    around = param_inputs((), "", options.environ)
    return ParamInputs((*now.values, *own, *around.values), os.getcwd())


def left_out(inputs: ParamInputs, plan: Plan) -> str:
    """A note about the values of an earlier run for which the workflow has no parameter any more; empty for none."""
    known = {*plan.params, *plan.secrets}
    names = [each.name for each in inputs.values if each.source.startswith(OF_RUN) and each.name not in known]
    listed = ", ".join(f"`{name}`" for name in names)
    return f"note: the run was given {listed}: the workflow has no such parameter any more\n" if names else ""
