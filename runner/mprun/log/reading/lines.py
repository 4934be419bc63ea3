"""A log's bytes as whole lines, and a line as an event: constant memory, whatever the log's length."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from mprun.errors.exceptions import UsageError
from mprun.log.words import LOG_FORMAT

BLOCK = 256 * 1024  # bytes that are read at once
NO_LINE = 1024 * 1024  # bytes without a newline: this is no line of a log, and is not waited for any longer

Event = dict[str, Any]


class LineError(ValueError):
    """A line is no event; says why."""


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


def event_of(line: bytes) -> Event:
    """The event that `line` holds. Keys and events that this version doesn't know are as good as others.

    Raises LineError.
    """
    try:
        event = _loads(line)
    except (ValueError, RecursionError) as error:
        raise LineError("it is no JSON") from error
    if not isinstance(event, dict) or not isinstance(event.get("event"), str) or type(event.get("seq")) is not int:
        raise LineError("it is no event: a JSON object with `seq` and `event`")
    return event


def refuse_newer(head: Event, name: str) -> None:
    """Raises UsageError where the log that begins with `head` is of a format that this version can't read."""
    version = head.get("log_format")
    major = str(version).partition(".")[0]
    if head["event"] == "run.started" and major.isdecimal() and int(major) > int(LOG_FORMAT.partition(".")[0]):
        raise UsageError(
            f"{name} has log format {version}, and this mprun reads up to {LOG_FORMAT}: "
            f"mprun {head.get('mprun', 'of a newer version')} wrote it, and reads it"
        )


def _strictly(line: bytes) -> Any:
    return json.loads(line.decode(), parse_constant=_no_constant)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _fast_loads() -> Callable[[bytes], Any]:
    """orjson where it is installed. It makes whole numbers beyond 64 bits floats: lines with such are not for it."""
    try:
        import orjson
    except ImportError:
        return _strictly
    fast = orjson.loads
    long_number = re.compile(rb"\d{19}").search

    def loads(line: bytes) -> Any:
        if long_number(line) is None:
            try:
                return fast(line)
            except ValueError:  # a float beyond its range: decided by the standard library
                pass
        return _strictly(line)

    return loads


_loads = _fast_loads()
