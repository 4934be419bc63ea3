"""`mprun export`: the log of a run in the form of another program."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from mprun.cli.open_log import open_log
from mprun.cli.output import show
from mprun.errors.exceptions import ExitCode, UsageError
from mprun.log.export.formats import FORMATS
from mprun.log.export.run_log import RunLog
from mprun.runs.find import find_run


def export_run(reference: str, *, runs_dir: str, form: str, output: str) -> ExitCode:
    """Write a run's log in the format `form` to the file `output`, or to standard output. Raises UsageError."""
    run = find_run(reference, runs_dir)
    if output and any(_are_same(output, path) for path in (run.log, run.head, run.index)):
        raise UsageError(f"{output} is a part of the run's record, which is never overwritten")
    with open_log(run.log):
        pieces = FORMATS[form](RunLog(run.log))
        if output:
            _write(output, pieces)
        else:
            sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # whatever the terminal's is
            for piece in pieces:
                show(piece)
    return ExitCode.SUCCEEDED


def _are_same(path: str, other: str) -> bool:
    return os.path.exists(path) and os.path.exists(other) and os.path.samefile(path, other)


def _write(path: str, pieces: Iterator[str]) -> None:
    try:
        with open(path, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines(pieces)
    except OSError as error:
        raise UsageError(f"{path} can't be written: {error.strerror}") from error
