"""Arguments and options that several commands share."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from mprun.cli.runs_dir import RUNS_DIR_VARIABLE

if TYPE_CHECKING:
    from mprun.loading.params.inputs import ParamInputs

WorkflowFile = Annotated[str, typer.Argument(metavar="FILE", help="The workflow file.", show_default=False)]
RunReference = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="A run: its id or the beginning of it, `latest`, or the path of its folder or log.",
        show_default=False,
    ),
]
RunsDir = Annotated[
    str, typer.Option("--runs-dir", envvar=RUNS_DIR_VARIABLE, metavar="DIR", help="Where the runs are kept.")
]
Param = Annotated[
    list[str] | None,
    typer.Option("--param", "-p", metavar="NAME=VALUE", help="Give a parameter its value.", show_default=False),
]
ParamsFile = Annotated[
    str, typer.Option("--params", metavar="FILE", help="A YAML file of parameters and their values.")
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="STEP[@CELL]",
        help="Only this step, or this cell of it, and what it needs. May be given again.",
        show_default=False,
    ),
]
First = Annotated[
    int | None,
    typer.Option(
        "--first", metavar="N", min=1, help="Only the first N items of each pool and fan-out.", show_default=False
    ),
]
NoImport = Annotated[bool, typer.Option("--no-import", help="Don't import the targets to check them.")]
MaxParallel = Annotated[
    int | None,
    typer.Option(
        "--max-parallel", "-j", metavar="N", min=1, help="How many children may be at work at once.", show_default=False
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show only what children print, and what went wrong.")]
SignKey = Annotated[
    str, typer.Option("--sign-key", metavar="KEY", help="Sign the finished log with the Ed25519 key in the file KEY.")
]
Explain = Annotated[
    bool, typer.Option("--explain", help="Say what a run would reuse, and why not the rest; start nothing.")
]


def read_params(assignments: list[str] | None, file: str) -> ParamInputs:
    """Return the parameter inputs from `Param`, `ParamsFile` and the environment. Raises UsageError, WorkflowError."""
    from mprun.loading.params.inputs import param_inputs

    return param_inputs(assignments or [], file, os.environ)
