"""`mprun resume`: resume an interrupted or failed run, or explain what that would run."""

from __future__ import annotations

import os

from mprun.cli.explain import explain_run
from mprun.cli.options import Explain, MaxParallel, Param, ParamsFile, Quiet, RunReference, RunsDir, SignKey
from mprun.cli.run_file import run_file
from mprun.cli.runs_dir import RUNS_DIR
from mprun.errors.exceptions import ExitCode
from mprun.resuming.earlier import earlier_run
from mprun.resuming.params import Options, params_as_before


def command(
    run: RunReference,
    param: Param = None,
    params: ParamsFile = "",
    runs_dir: RunsDir = RUNS_DIR,
    explain: Explain = False,
    max_parallel: MaxParallel = None,
    quiet: Quiet = False,
    sign_key: SignKey = "",
) -> ExitCode:
    """Resume a run that failed or was interrupted: reuse what it has done.

    The workflow is loaded as it is now, with the parameters that the run had; secrets must be given again.
    """
    earlier = earlier_run(run, runs_dir)
    inputs = params_as_before(earlier, Options(param or (), params, os.environ))
    if explain:
        return explain_run(earlier.workflow, inputs, earlier, only=earlier.only, first=earlier.first)
    return run_file(
        earlier.workflow,
        inputs,
        runs_dir=runs_dir,
        only=earlier.only,
        first=earlier.first,
        max_parallel=max_parallel,
        quiet=quiet,
        sign_key=sign_key,
        earlier=earlier,
    )
