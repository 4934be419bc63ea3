"""`mprun validate`: list every mistake in workflow files."""

from __future__ import annotations

from typing import Annotated

import typer

from mprun.cli.options import NoImport, Param, ParamsFile, read_params
from mprun.cli.output import show
from mprun.errors.exceptions import Diagnostic, ExitCode, WorkflowError
from mprun.loading.prepare import prepare


def command(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="The workflow files.", show_default=False)],
    param: Param = None,
    params: ParamsFile = "",
    no_import: NoImport = False,
) -> ExitCode:
    """Report everything that is wrong with workflow files; start nothing."""
    inputs = read_params(param, params)
    found: list[Diagnostic] = []
    for file in files:
        try:
            plan = prepare(file, inputs, check_targets=not no_import)
        except WorkflowError as error:
            found += error.diagnostics
        else:
            steps = len(plan.steps)
            show(f"{file}: ok ({steps} step{'' if steps == 1 else 's'})\n")
    if found:
        raise WorkflowError(tuple(found))
    return ExitCode.SUCCEEDED
