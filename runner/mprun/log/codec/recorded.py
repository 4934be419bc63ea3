"""Reads the line of one call that returned by its offset: its values as they stand there, for a run that reuses it."""

from __future__ import annotations

import json
import re
from typing import Any

from mprun.log.codec import returned
from mprun.log.codec.event import LineError, event_of, loads
from mprun.log.codec.task_lines import Recorded

READ_AHEAD = 64 * 1024  # bytes: at least the longest line

_SPACE = re.compile(r"[ \t\r\n]*")


class RecordedResults:
    """Reads results out of the log at `path`, best in the order in which they stand there."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._start = 0
        self._read = b""

    def at(self, offset: int) -> Recorded | None:
        """What the line at `offset` says; None where it is none of a call that returned. Raises OSError."""
        start = offset - self._start
        end = self._read.find(b"\n", start) + 1 if start >= 0 else 0
        if not end:
            self._read_from(offset)
            start, end = 0, self._read.find(b"\n") + 1 or len(self._read)
        return recorded(self._read[start:end])

    def _read_from(self, offset: int) -> None:
        with open(self._path, "rb") as file:
            file.seek(offset)
            self._read = file.read(4 * READ_AHEAD)
        self._start = offset


def recorded(line: bytes) -> Recorded | None:
    """What the whole `line` says; None where it is none of a call that returned."""
    found = returned.one().match(line)
    if found is not None and _is_json(found["result"]):
        return Recorded(found["result"], found["duration"], found["key"] or b"")
    try:
        event = event_of(line)
    except LineError:
        return None
    if event.get("outcome") != "returned" or "result" not in event or "duration" not in event:
        return None
    texts = _texts_of(line.decode())
    return Recorded(texts["result"], texts["duration"], texts.get("key", b""))


def _is_json(text: bytes) -> bool:
    try:
        loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _texts_of(line: str) -> dict[str, bytes]:
    """The JSON of each value of the object `line`, by key; of a key that stands there twice, the last."""
    texts: dict[str, bytes] = {}
    at = _behind_space(line, line.index("{") + 1)
    while line[at] != "}":
        key, at = _value(line, at)
        start = _behind_space(line, _behind_space(line, at) + 1)
        _, end = _value(line, start)
        texts[key] = line[start:end].encode()
        at = _behind_space(line, end)
        at = _behind_space(line, at + 1) if line[at] == "," else at
    return texts


def _value(line: str, at: int) -> tuple[Any, int]:
    return _DECODER.raw_decode(line, at)


_DECODER = json.JSONDecoder()


def _behind_space(line: str, at: int) -> int:
    found = _SPACE.match(line, at)
    assert found is not None
    return found.end()
