"""How calls have ended, by a log, and where in it the results of those stand that returned."""

from __future__ import annotations

import re
from array import array
from typing import BinaryIO

from mprun.log.codec.event import LineError, event_of
from mprun.log.reading.lines import blocks

NOT_RETURNED, NOT_LOGGED = -1, -2  # in the place of a line's offset: NOT_LOGGED returned, and was only counted
READ_AHEAD = 64 * 1024  # bytes: at least the longest line

_RESULT = re.compile(
    rb'"outcome":"returned","result":(.*),"duration":([\d.e+-]+)'
    rb'(?:,"waited":[\d.e+-]+)?(?:,"reused":"[\w-]+")?\}',
    re.DOTALL,
)
_KEY = re.compile(rb',"key":("(?:[^"\\]|\\.)*")')  # in front of the outcome


class LogResults:
    """The offsets of the lines of one step's results, by task, which are eight bytes each; and how others ended."""

    def __init__(self) -> None:
        self.offsets: array[int] = array("q")
        self.failures: dict[int, str] = {}

    def put(self, first: int, last: int, offset: int) -> None:
        missing = last + 1 - len(self.offsets)
        if missing > 0:
            self.offsets.extend([NOT_RETURNED] * missing)
        for task in range(first, last + 1):
            self.offsets[task] = offset

    def has(self, task: int) -> bool:
        return task < len(self.offsets) and self.offsets[task] != NOT_RETURNED


def read_results(file: BinaryIO) -> dict[str, LogResults]:
    """The calls that have ended, by step, of the log `file`, from where it stands."""
    steps: dict[str, LogResults] = {}
    offset = file.tell()
    for block in blocks(file):
        for line in block.splitlines(keepends=True):
            if b'.result"' in line or b'"tasks.counted"' in line:
                _take(steps, line, offset)
            offset += len(line)
    return steps


def _take(steps: dict[str, LogResults], line: bytes, offset: int) -> None:
    try:
        event = event_of(line)
    except LineError:
        return
    if event["event"] == "tasks.counted":
        steps.setdefault(event["step"], LogResults()).put(event["first"], event["last"], NOT_LOGGED)
    elif event["event"] in ("task.result", "process.result"):
        results, task = steps.setdefault(event["step"], LogResults()), event.get("task", 0)
        if event["outcome"] == "returned":
            results.put(task, task, offset)
        else:
            results.failures[task] = event["outcome"]


class ResultReader:
    """Reads results out of the log at `path`, best in the order in which they stand there."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._start = 0
        self._read = b""

    def result(self, offset: int) -> tuple[bytes, bytes, bytes] | None:
        """The result, the duration and the key (empty for none) of the line at `offset`, as they are written there.

        Raises OSError.
        """
        start = offset - self._start
        end = self._read.find(b"\n", start) if start >= 0 else -1
        if end < 0:
            self._read_from(offset)
            start, end = 0, self._read.find(b"\n")
        found = _RESULT.search(self._read, start, end if end >= 0 else len(self._read))
        if found is None:
            return None
        key = _KEY.search(self._read, start, found.start())
        return found[1], found[2], key[1] if key else b""

    def _read_from(self, offset: int) -> None:
        with open(self._path, "rb") as file:
            file.seek(offset)
            self._read = file.read(4 * READ_AHEAD)
        self._start = offset
