"""Comma-separated values (RFC 4180, with `\\n`): a row for each result and for each attempt that was retried."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from mprun.log.codec.event import Event
from mprun.log.export.run_log import ATTEMPTS, RunLog, as_json

_AS_TEXT = ("step", "task", "attempt", "outcome", "ts", "duration", "waited", "worker", "pid")
_FAILURE = ("exception.type", "exception.message", "reason", "cancelled_by", "exitcode", "signal")
_AS_JSON = ("result", "args", "kwargs")

COLUMNS = ("event", *_AS_TEXT, *_FAILURE, *_AS_JSON)


def comma_separated(log: RunLog) -> Iterator[str]:
    """Yield the rows as text after a heading. Results and arguments are JSON; a missing key is empty."""
    yield _row(COLUMNS)
    for event in log.events():
        if event["event"] in ATTEMPTS:
            yield _row(_cells(event))


def _cells(event: Event) -> list[str]:
    cells = ["" if event.get(key) is None else str(event[key]) for key in ("event", *_AS_TEXT, *_FAILURE)]
    return cells + [as_json(event[key]) if key in event else "" for key in _AS_JSON]


def _row(cells: list[str] | tuple[str, ...]) -> str:
    text = io.StringIO()
    # The csv module quotes a `\r` in a cell only if its terminator has one.
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue().removesuffix("\r\n") + "\n"
