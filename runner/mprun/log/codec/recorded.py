"""Reads the line of a call that returned at its offset, with its values as text, for a run that reuses the call."""

from __future__ import annotations

import json
import re
from typing import Any

from mprun.log.codec import returned
from mprun.log.codec.event import LineError, event_of, loads
from mprun.log.codec.task_lines import Recorded

READ_AHEAD = 64 * 1024  # bytes; at least the longest line

_SPACE = re.compile(r"[ \t\r\n]*")


class RecordedResults:
    """Reads results from the log at `path`. It is fastest in the order of the log."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._start = 0
        self._read = b""

    def at(self, offset: int) -> Recorded | None:
        """Return the content of the line at `offset`; None if it is not the result of a call that returned.

        Raises OSError.
        """
        start = offset - self._start
        found = returned.one().match(self._read, start) if start >= 0 else None
        return _of_match(found) if found else recorded(self._line(offset))

    def _line(self, offset: int) -> bytes:
        start = offset - self._start
        end = self._read.find(b"\n", start) + 1 if start >= 0 else 0
        if not end:
            self._read_from(offset)
            start, end = 0, self._read.find(b"\n") + 1 or len(self._read)
        return self._read[start:end]

    def _read_from(self, offset: int) -> None:
        with open(self._path, "rb") as file:
            file.seek(offset)
            self._read = file.read(4 * READ_AHEAD)
        self._start = offset


def recorded(line: bytes) -> Recorded | None:
    """Return the content of the whole `line`; None if it is not the result of a call that returned."""
    if found := returned.one().match(line):
        return _of_match(found)
    # A nested result is beyond the first expression. The second takes any text up to the last `,"duration":`; if that
    # is JSON by itself, it is the result, as text from a wrong place can't be.
    found = returned.one(any_result=True).match(line)
    if found and _is_json(found["result"]):
        return _of_match(found)
    try:
        event = event_of(line)
    except LineError:
        return None
    if event.get("outcome") != "returned" or "result" not in event or "duration" not in event:
        return None
    texts = _texts_of(line.decode())
    return Recorded(texts["result"], texts["duration"], texts.get("key", b""))


def _of_match(found: re.Match[bytes]) -> Recorded:
    result, duration, key = found.group("result", "duration", "key")
    return Recorded(result, duration, key or b"")


def _is_json(text: bytes) -> bool:
    try:
        loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _texts_of(line: str) -> dict[str, bytes]:
    """Return the JSON text of each value of the object `line`, by key. The last of two equal keys counts, as in
    JSON."""
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
