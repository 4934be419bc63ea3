"""`mprun graph`: which step waits for which."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from mprun.cli.options import Param, ParamsFile, WorkflowFile, read_params
from mprun.cli.output import show
from mprun.errors.exceptions import ExitCode
from mprun.loading.prepare import prepare
from mprun.planning.show.graph import FORMATS


class GraphFormat(StrEnum):
    text = "text"
    mermaid = "mermaid"
    dot = "dot"


def command(
    file: WorkflowFile,
    param: Param = None,
    params: ParamsFile = "",
    form: Annotated[GraphFormat, typer.Option("--format", help="For people, Mermaid or Graphviz.")] = GraphFormat.text,
) -> ExitCode:
    """Show which step waits for which, and why; imports no target."""
    inputs = read_params(param, params)
    show(FORMATS[form.value](prepare(file, inputs, check_targets=False)))
    return ExitCode.SUCCEEDED
