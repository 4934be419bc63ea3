"""What must be known of the command line before its parser is imported, or without it."""

from __future__ import annotations

COMMANDS = (
    "run",
    "resume",
    "repro",
    "validate",
    "plan",
    "graph",
    "params",
    "schema",
    "runs",
    "show",
    "logs",
    "query",
    "export",
    "verify",
)

RUNS_DIR_VARIABLE = "MPRUN_RUNS_DIR"
RUNS_DIR = ".mprun"  # where neither an option nor the variable says otherwise
