"""Yields a log's bytes as blocks of whole lines, in constant memory whatever the length of the log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from mprun.errors.exceptions import UsageError
from mprun.log.codec.event import Event
from mprun.log.words import LOG_FORMAT

BLOCK = 256 * 1024  # bytes per read
NO_LINE = 1024 * 1024  # bytes; as many without a newline are not a line of a log, and are passed on as they are


def blocks(file: BinaryIO) -> Iterator[bytes]:
    """Yield the whole lines of `file` from its position, several at a time. A torn last line is skipped."""
    rest = b""
    while data := file.read(BLOCK):
        whole = data.rfind(b"\n") + 1
        if whole:
            yield rest + data[:whole]
            rest = data[whole:]
        else:
            rest += data
            if len(rest) > NO_LINE:
                yield rest
                rest = b""


def refuse_newer(head: Event, name: str) -> None:
    """Raise UsageError if the log that begins with `head` has a format that this version can't read."""
    version = head.get("log_format")
    major = str(version).partition(".")[0]
    if head["event"] == "run.started" and major.isdecimal() and int(major) > int(LOG_FORMAT.partition(".")[0]):
        raise UsageError(
            f"{name} has log format {version}, and this mprun reads up to {LOG_FORMAT}: "
            f"mprun {head.get('mprun', 'of a newer version')} wrote it, and reads it"
        )
