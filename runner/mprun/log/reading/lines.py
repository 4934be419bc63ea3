"""A log's bytes as whole lines: constant memory, whatever the log's length."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from mprun.errors.exceptions import UsageError
from mprun.log.codec.event import Event
from mprun.log.words import LOG_FORMAT

BLOCK = 256 * 1024  # bytes that are read at once
NO_LINE = 1024 * 1024  # bytes without a newline: this is no line of a log, and is not waited for any longer


def blocks(file: BinaryIO) -> Iterator[bytes]:
    """The whole lines of `file` from where it stands, some at a time; a torn last line is left out."""
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
    """Raises UsageError where the log that begins with `head` is of a format that this version can't read."""
    version = head.get("log_format")
    major = str(version).partition(".")[0]
    if head["event"] == "run.started" and major.isdecimal() and int(major) > int(LOG_FORMAT.partition(".")[0]):
        raise UsageError(
            f"{name} has log format {version}, and this mprun reads up to {LOG_FORMAT}: "
            f"mprun {head.get('mprun', 'of a newer version')} wrote it, and reads it"
        )
