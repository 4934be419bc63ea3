"""Reads the last lines of a log without reading the others."""

from __future__ import annotations

import os
from typing import BinaryIO

from mprun.log.codec.event import Event, LineError, event_of
from mprun.log.reading.regular import open_regular
from mprun.log.words import MAX_LINE


def run_end(file: BinaryIO) -> Event:
    """Return the `run.finished` before the last seal of a log; an empty event if there is none."""
    lines = _last_lines(file)
    finish = _event(lines[-2]) if len(lines) > 1 and lines[-1].endswith(b"\n") else {}
    return finish if finish.get("event") == "run.finished" else {}


def last_seal(log: str) -> str:
    """Return the last seal of the log at `log`, unchecked; empty if the log is missing or doesn't end with a seal."""
    try:
        with open_regular(log) as file:
            lines = _last_lines(file)
    except OSError:
        return ""
    event = _event(lines[-1]) if lines else {}
    return str(event["seal"]) if event.get("event") == "log.sealed" and "seal" in event else ""


def _last_lines(file: BinaryIO) -> list[bytes]:
    """Return the last lines, at least two of them if there are two. The first may be the rest of a line."""
    size = os.fstat(file.fileno()).st_size
    lines: list[bytes] = []
    for length in (2048, 2 * MAX_LINE):
        file.seek(max(0, size - length))
        lines = file.readlines()
        if len(lines) > 2:
            break
    return lines


def _event(line: bytes) -> Event:
    try:
        return event_of(line)
    except LineError:
        return {}
