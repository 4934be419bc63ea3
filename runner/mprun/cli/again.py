"""The commands that go on from an earlier run, and their options; `app` has them."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from mprun.cli.arguments import RUNS_DIR
from mprun.cli.on_runs import RunReference
from mprun.cli.options import Explain, MaxParallel, Param, ParamsFile, Quiet, RunsDir, SignKey


def resume(
    run: RunReference,
    param: Param = None,
    params: ParamsFile = "",
    runs_dir: RunsDir = RUNS_DIR,
    explain: Explain = False,
    max_parallel: MaxParallel = None,
    quiet: Quiet = False,
    sign_key: SignKey = "",
) -> None:
    """Go on from a run that was ended or failed: what it has done is not done again.

    The workflow is loaded as it is now, with the parameters that the run had; secrets must be given again.
    """
    from mprun.cli.commands.resume import explain_resume, resume_run
    from mprun.resuming.params import Options

    options = Options(param or (), params, os.environ)
    if explain:
        raise typer.Exit(int(explain_resume(run, options, runs_dir=runs_dir)))
    code = resume_run(run, options, runs_dir=runs_dir, max_parallel=max_parallel, quiet=quiet, sign_key=sign_key)
    raise typer.Exit(int(code))


def repro(
    run: RunReference,
    task: Annotated[
        str,
        typer.Argument(
            metavar="TASK",
            help="A task of it: `step[4]`, `step@cell`, or the name of a process.",
            show_default=False,
        ),
    ],
    param: Param = None,
    params: ParamsFile = "",
    runs_dir: RunsDir = RUNS_DIR,
    pdb: Annotated[bool, typer.Option("--pdb", help="Open the debugger where it raises.")] = False,
) -> None:
    """Make one recorded call again: in the foreground, in one process, with the arguments that it had.

    The exit code is 1 if it raises.
    """
    from mprun.cli.commands.repro import repro_task
    from mprun.resuming.params import Options

    options = Options(param or (), params, os.environ)
    raise typer.Exit(int(repro_task(run, task, options, runs_dir=runs_dir, debugger=pdb)))
