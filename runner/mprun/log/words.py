"""The words of the event log that both sides of a pipe use: outcomes, format version, timestamps."""

from __future__ import annotations

import time
from typing import Literal

LOG_FORMAT = "1.0"

Outcome = Literal["returned", "raised", "lost", "timed_out", "cancelled", "unpicklable"]

# Their order is the code of an outcome in a frame: append only.
OUTCOMES: tuple[Outcome, ...] = ("returned", "raised", "lost", "timed_out", "cancelled", "unpicklable")

MAX_LINE = 64 * 1024  # bytes of one line of the log, its newline included
ROOM_FOR_SEQ = 32  # bytes of it that the parent needs for `seq`


def timestamp(seconds: float) -> str:
    """`seconds` since the epoch as RFC 3339 in UTC with microseconds: `2026-01-31T09:30:00.000000Z`."""
    microseconds = round(seconds * 1_000_000)
    whole, fraction = divmod(microseconds, 1_000_000)
    if whole != _second[0]:
        _second[0], _second[1] = whole, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))
    return f"{_second[1]}.{fraction:06d}Z"


# The last second that was formatted: a worker logs thousands of results within one.
_second: list = [-1, ""]  # type: ignore[type-arg]
