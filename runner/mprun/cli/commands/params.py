"""`mprun params`: the parameters that a workflow takes."""

from __future__ import annotations

from mprun.cli.options import WorkflowFile
from mprun.cli.output import show
from mprun.errors.exceptions import ExitCode
from mprun.loading.params.listing import list_params


def command(file: WorkflowFile) -> ExitCode:
    """List the parameters of a workflow: what each takes, and how to give it."""
    show(list_params(file))
    return ExitCode.SUCCEEDED
