"""Where the runs are, as the command line has it."""

from __future__ import annotations

import os

RUNS_DIR_VARIABLE = "MPRUN_RUNS_DIR"
RUNS_DIR = ".mprun"  # where neither the option nor the variable says otherwise


def runs_dir_without_options() -> str:
    """What the parser makes of a command line without `--runs-dir`."""
    return os.environ.get(RUNS_DIR_VARIABLE) or RUNS_DIR
