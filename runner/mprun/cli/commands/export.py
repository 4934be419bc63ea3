"""`mprun export`: the log of a run in the form of another program."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

import typer

from mprun.cli.open_log import open_log
from mprun.cli.options import RunReference, RunsDir
from mprun.cli.output import show
from mprun.cli.runs_dir import RUNS_DIR
from mprun.errors.exceptions import ExitCode, UsageError
from mprun.log.export.formats import FORMATS
from mprun.log.export.run_log import RunLog
from mprun.runs.find import find_run


class ExportFormat(StrEnum):
    chrome_trace = "chrome-trace"
    joblog = "joblog"
    csv = "csv"
    junit = "junit"
    otlp = "otlp"


def command(
    run: RunReference,
    form: Annotated[ExportFormat, typer.Option("--format", "-f", help="The form.", show_default=False)],
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="Write to FILE in place of standard output.")
    ] = "",
    runs_dir: RunsDir = RUNS_DIR,
) -> ExitCode:
    """Write a run's log in the form of another program.

    chrome-trace opens in Perfetto, joblog is GNU parallel's table, junit is for CI servers, otlp is
    OpenTelemetry's JSON.
    """
    files = find_run(run, runs_dir)
    if output and any(_are_same(output, path) for path in (files.log, files.head, files.index)):
        raise UsageError(f"{output} is a part of the run's record, which is never overwritten")
    with open_log(files.log):
        pieces = FORMATS[form.value](RunLog(files.log))
        if output:
            _write(output, pieces)
        else:
            _print(pieces)
    return ExitCode.SUCCEEDED


def _print(pieces: Iterator[str]) -> None:
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr] # independent of the terminal's encoding
    for piece in pieces:
        show(piece)


def _are_same(path: str, other: str) -> bool:
    return os.path.exists(path) and os.path.exists(other) and os.path.samefile(path, other)


def _write(path: str, pieces: Iterator[str]) -> None:
    try:
        with open(path, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines(pieces)
    except OSError as error:
        raise UsageError(f"{path} can't be written: {error.strerror}") from error
