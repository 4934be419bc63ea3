"""The parameters of a run that goes on from another: those that it had, and on top what is given now."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mprun.loading.params.inputs import Given, GivenParams, given_params
from mprun.resuming.earlier import EarlierRun


@dataclass(frozen=True, slots=True)
class Options:
    """What is given for parameters now: `-p name=value` texts, a file of them (or none), the environment."""

    assignments: Sequence[str]
    file: str
    environ: Mapping[str, str]


def params_as_before(run: EarlierRun, options: Options) -> GivenParams:
    """The weightiest are those of the command line, then come the run's own; the environment has what that lacks.

    A run doesn't keep its secrets. Raises UsageError, WorkflowError.
    """
    recorded = run.plan["params"]
    now = given_params(options.assignments, options.file, {})
    own = (Given(name, value, False, f"the run {run.run_id}") for name, value in recorded.items())
    around = given_params((), "", options.environ)
    return GivenParams((*now.values, *own, *around.values), os.getcwd())
