"""How calls have ended, by a log, and where in it the results of those stand that returned."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import BinaryIO

from mprun.log.codec import columns
from mprun.log.codec.columns import Line, Results
from mprun.log.codec.event import LineError, event_of
from mprun.log.codec.lines import TextSearch
from mprun.log.reading.lines import blocks

NOT_RETURNED, NOT_LOGGED = -1, -2  # in the place of a line's offset: NOT_LOGGED returned, and was only counted

_ENDS = ("task.result", "process.result", "tasks.counted")


class LogResults:
    """The offsets of the lines of one step's results, by task, which are eight bytes each; and how others ended."""

    def __init__(self) -> None:
        self.offsets: array[int] = array("q")
        self.failures: dict[int, str] = {}

    def put(self, tasks: range, offset: int) -> None:
        """What is to stand in the place of the offset of each of `tasks`."""
        self._make_room(tasks.stop)
        for task in tasks:
            self.offsets[task] = offset

    def put_each(self, tasks: Sequence[int], offsets: Sequence[int]) -> None:
        """Each of `tasks` has returned, by the line at its one of `offsets`."""
        self._make_room(max(tasks) + 1)
        first, end = tasks[0], tasks[0] + len(tasks)
        if list(tasks) == list(range(first, end)):  # as they mostly come
            self.offsets[first:end] = array("q", offsets)
            return
        for task, offset in zip(tasks, offsets, strict=True):
            self.offsets[task] = offset

    def _make_room(self, end: int) -> None:
        self.offsets.extend([NOT_RETURNED] * (end - len(self.offsets)))

    def has(self, task: int) -> bool:
        return task < len(self.offsets) and self.offsets[task] != NOT_RETURNED


def read_results(file: BinaryIO) -> dict[str, LogResults]:
    """The calls that have ended, by step, of the log `file`, from where it stands."""
    steps: dict[str, LogResults] = {}
    offset = file.tell()
    ends = TextSearch({"event": _ENDS})
    for block in blocks(file):
        for part in columns.read(block, offset=offset):
            if isinstance(part, Results):
                steps.setdefault(part.step, LogResults()).put_each(part.tasks, part.offsets)
            elif ends.may_hold(part.text):
                _take(steps, part)
        offset += len(block)
    return steps


def _take(steps: dict[str, LogResults], line: Line) -> None:
    try:
        event = event_of(line.text)
    except LineError:
        return
    if event["event"] == "tasks.counted":
        steps.setdefault(event["step"], LogResults()).put(range(event["first"], event["last"] + 1), NOT_LOGGED)
    elif event["event"] in ("task.result", "process.result"):
        results, task = steps.setdefault(event["step"], LogResults()), event.get("task", 0)
        if event["outcome"] == "returned":
            results.put(range(task, task + 1), line.offset)
        else:
            results.failures[task] = event["outcome"]
