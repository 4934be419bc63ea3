"""`mprun run`: run a workflow. `mprun FILE` doesn't come here: see `run_file`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mprun.cli.options import (
    Explain,
    First,
    MaxParallel,
    Only,
    Param,
    ParamsFile,
    Quiet,
    RunsDir,
    SignKey,
    WorkflowFile,
    read_params,
)
from mprun.cli.run_file import run_file
from mprun.cli.runs_dir import RUNS_DIR
from mprun.errors.exceptions import ExitCode, UsageError

if TYPE_CHECKING:
    from mprun.resuming.earlier import EarlierRun


def command(
    file: WorkflowFile,
    param: Param = None,
    params: ParamsFile = "",
    log: Annotated[
        str, typer.Option("--log", metavar="PATH", help="Write the event log to PATH; `-` is standard output.")
    ] = "",
    runs_dir: RunsDir = RUNS_DIR,
    only: Only = None,
    first: First = None,
    reuse: Annotated[
        str,
        typer.Option("--reuse", metavar="RUN", help="Reuse what this earlier run has done and is still the same work."),
    ] = "",
    explain: Explain = False,
    max_parallel: MaxParallel = None,
    inline: Annotated[
        bool, typer.Option("--inline", help="Make all calls in one process, one by one: for a debugger or coverage.")
    ] = False,
    quiet: Quiet = False,
    sign_key: SignKey = "",
) -> ExitCode:
    """Run a workflow."""
    inputs = read_params(param, params)
    earlier = _earlier(reuse, runs_dir, explain=explain)
    if earlier is not None and explain:
        from mprun.cli.explain import explain_run

        return explain_run(file, inputs, earlier, only=only, first=first)
    return run_file(
        file,
        inputs,
        log=log,
        runs_dir=runs_dir,
        only=only,
        first=first,
        max_parallel=max_parallel,
        inline=inline,
        quiet=quiet,
        sign_key=sign_key,
        earlier=earlier,
    )


def _earlier(reuse: str, runs_dir: str, *, explain: bool) -> EarlierRun | None:
    if not reuse:
        if explain:
            raise UsageError("`--explain` says what a run would reuse: `--reuse RUN` names the earlier run")
        return None
    from mprun.resuming.earlier import earlier_run

    return earlier_run(reuse, runs_dir)
