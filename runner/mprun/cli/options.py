"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

from mprun.cli.arguments import RUNS_DIR_VARIABLE

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
    bool, typer.Option("--explain", help="Say what would be taken over, and why the rest not; start nothing.")
]
