"""The words of the event log that both sides of a pipe use: outcomes, the format's version, timestamps."""

from __future__ import annotations

import time
from typing import Literal

LOG_FORMAT = "1.1"

Outcome = Literal["returned", "raised", "lost", "timed_out", "cancelled", "unpicklable"]

# The position of an outcome is its code in a frame: append only.
OUTCOMES: tuple[Outcome, ...] = ("returned", "raised", "lost", "timed_out", "cancelled", "unpicklable")

MAX_LINE = 64 * 1024  # bytes of one line of the log, including its newline
ROOM_FOR_SEQ = 32  # of these, the bytes that the parent needs for `seq`


def timestamp(seconds: float) -> str:
    """Return `seconds` since the epoch in RFC 3339, UTC, with microseconds: `2026-01-31T09:30:00.000000Z`."""
    microseconds = round(seconds * 1_000_000)
    whole, fraction = divmod(microseconds, 1_000_000)
    if whole != _second[0]:
        _second[0], _second[1] = whole, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))
    return f"{_second[1]}.{fraction:06d}Z"


# The last second that was formatted. A worker logs thousands of results within one second, and `strftime` takes longer
# than all the rest of a line.
_second: list = [-1, ""]  # type: ignore[type-arg]
