"""The folder of runs as the command line determines it."""

from __future__ import annotations

import os

RUNS_DIR_VARIABLE = "MPRUN_RUNS_DIR"
RUNS_DIR = ".mprun"  # the default, without the option and the variable


def runs_dir_without_options() -> str:
    """Return the folder of a command line without `--runs-dir`, as the parser would."""
    return os.environ.get(RUNS_DIR_VARIABLE) or RUNS_DIR
