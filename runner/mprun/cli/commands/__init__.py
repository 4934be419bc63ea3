"""One module for each command: its options, and what it does. mprun imports only the command that is called.

A module `NAME` here holds `command`: a function that returns the exit code and whose signature typer reads, or a
`typer.Typer` where the command has subcommands. The table holds the first paragraph of its docstring, so that
`mprun --help` needs no import.
"""

from __future__ import annotations

COMMANDS = {
    "run": "Run a workflow.",
    "validate": "Report everything that is wrong with workflow files; start nothing.",
    "plan": "Show what a workflow would start, and in which order.",
    "graph": "Show which step waits for which, and why; imports no target.",
    "params": "List the parameters of a workflow: what each takes, and how to give it.",
    "schema": "Print the JSON Schema of workflows or of events.",
    "resume": "Resume a run that failed or was interrupted: reuse what it has done.",
    "repro": "Repeat one recorded call in the foreground, in one process, with its arguments.",
    "show": "Show the story of a run, of one task, or of one thing that children share.",
    "logs": "Show the events of a run.",
    "query": "Ask a run's log in SQL: the tables are events, tasks (each attempt), workers and steps.",
    "export": "Write a run's log in the form of another program.",
    "verify": "Say whether the logs of runs are complete and unchanged.",
    "runs": "List the runs so far, the latest last.",
}
