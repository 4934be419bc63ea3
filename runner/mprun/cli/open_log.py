"""Opens a log for a command that reads it, and turns mistakes in it into UsageErrors."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import BinaryIO

from mprun.errors.exceptions import UsageError
from mprun.log.codec.event import LineError, event_of
from mprun.log.reading.lines import refuse_newer
from mprun.log.reading.regular import open_regular
from mprun.log.words import MAX_LINE


@contextlib.contextmanager
def open_log(path: str) -> Iterator[BinaryIO]:
    """Open the log at `path` at its beginning. Raises UsageError if it can't be read, is not a log, or is too new.

    An event without a required key raises a KeyError in the command that reads it. That becomes a UsageError about the
    log, because the log is at fault.
    """
    try:
        with open_regular(path) as file:
            _check_head(path, file.readline(MAX_LINE))
            file.seek(0)
            yield file
    except OSError as error:
        if error.filename != path:
            raise
        raise UsageError(f"the log {path} can't be read: {error.strerror}") from error
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError, RecursionError) as error:
        raise UsageError(f"{path} is not as mprun writes a log: `mprun verify` says where") from error


def _check_head(path: str, line: bytes) -> None:
    if not line.endswith(b"\n"):
        return  # the run has only just started, or was killed at its start
    try:
        head = event_of(line)
    except LineError as error:
        raise UsageError(f"{path} is not the log of a run: of its first line, {error}") from error
    refuse_newer(head, path)
