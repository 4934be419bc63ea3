"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

from mprun.cli.words import RUNS_DIR_VARIABLE

RunsDir = Annotated[
    str, typer.Option("--runs-dir", envvar=RUNS_DIR_VARIABLE, metavar="DIR", help="Where the runs are kept.")
]
