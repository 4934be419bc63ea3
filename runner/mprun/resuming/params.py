"""The parameters of a run that resumes another: those of the earlier run, overridden by the inputs of now."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mprun.loading.params.inputs import ParamInput, ParamInputs, param_inputs
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
    own = (ParamInput(name, value, False, f"the run {run.run_id}") for name, value in recorded.items())
    around = param_inputs((), "", options.environ)
    return ParamInputs((*now.values, *own, *around.values), os.getcwd())
