"""Writes what the command says: answers on standard output, everything else on standard error."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from typing import TextIO

from mprun.errors.exceptions import MprunError
from mprun.system.writing import wait_for_room


class OutputError(MprunError):
    """Standard output can't be written. The message is empty if its reader has closed it (`| head`)."""


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
    """Write a message to standard error. If nobody can read it, the exit code still reports it."""
    with contextlib.suppress(OSError):
        if (fd := _descriptor(sys.stderr)) is not None:
            wait_for_room(fd)
        sys.stderr.write(text)
        sys.stderr.flush()


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return `rows`, the first of which is the heading, in aligned columns, with a newline at the end."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines) + "\n"


def _descriptor(stream: TextIO) -> int | None:
    """Return the descriptor of a stream; None if it has none, and thus always has room."""
    try:
        return stream.fileno()
    except OSError:
        return None


def occupy_standard_streams() -> None:
    """Replace standard streams that were closed at the start. Standard output escapes what its encoding lacks.

    Otherwise, the next file that is opened, such as the log, would get the number of the stream, and all that children
    print. A closed standard output is replaced by one that rejects writing, because an answer must not get lost
    silently.
    """
    for fd, mode in ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, mode)  # takes the lowest free number, which is `fd`
            os.set_inheritable(fd, True)
    # The stream is None if it was closed when Python started.
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8", closefd=False)
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def _swallow_the_rest() -> None:
    """Discard what is left in Python's buffer, which would fail once more at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
