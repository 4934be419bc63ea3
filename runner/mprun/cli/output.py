"""What the command itself says: answers on standard output, everything else on standard error."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from typing import TextIO

from mprun.errors.exceptions import MprunError
from mprun.system.writing import wait_for_room


class OutputError(MprunError):
    """Standard output can't be written; without a message where its reader has heard enough."""


def show(text: str) -> None:
    """Write an answer to standard output. Raises OutputError."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        _swallow_the_rest()
        enough = isinstance(error, BrokenPipeError)
        raise OutputError("" if enough else f"standard output can't be written: {error.strerror}") from error


def say(text: str) -> None:
    """Write a message to standard error; where nobody can hear it, the exit code still says it."""
    with contextlib.suppress(OSError):
        if (fd := _descriptor(sys.stderr)) is not None:
            wait_for_room(fd)
        sys.stderr.write(text)
        sys.stderr.flush()


def table(rows: Sequence[Sequence[str]]) -> str:
    """`rows`, of which the first is the heading, in aligned columns; ends with a newline."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines) + "\n"


def _descriptor(stream: TextIO) -> int | None:
    """None where there is none: such a stream always has room."""
    try:
        return stream.fileno()
    except OSError:
        return None


def occupy_standard_streams() -> None:
    """Where the command was started with a closed standard stream, put something in its place. Standard output escapes
    what its encoding lacks.

    Otherwise the next file that is opened, such as the log, would get its number, and what children print. A closed
    standard output is replaced by one that refuses to be written, as an answer must not get lost without a word.
    """
    for fd, mode in ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, mode)  # takes the lowest free number, which is `fd`
            os.set_inheritable(fd, True)
    # None where the stream was closed when Python started.
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8", closefd=False)
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def _swallow_the_rest() -> None:
    """What is still in Python's buffer would fail once more when it exits."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
