"""What is owed: which tasks of a pool have their outcome, each exactly once, and how many ended how."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import Any

from mprun.engines.child.ends import result_line
from mprun.engines.results.store import StepResults
from mprun.engines.seam import Events
from mprun.log.words import Outcome
from mprun.worker.wire.result_frames import Values


class Ledger:
    """Books each task's outcome once and passes it to the run's events; drops a second report of the same task.

    Where `results` are stored, a task's value is in its file before its outcome is logged.
    """

    def __init__(self, events: Events, step: str) -> None:
        self.results: StepResults | None = None
        self.outcomes: Counter[str] = Counter()
        self._events = events
        self._step = step
        self._done = bytearray()  # one byte a task: whether it has its outcome
        self._booked = 0
        self._counted: list[tuple[int, int]] = []  # ranges without lines that are not logged yet

    @property
    def booked(self) -> int:
        return self._booked

    def has(self, task: int) -> bool:
        return task < len(self._done) and self._done[task] != 0

    def has_all(self, first: int, end: int) -> bool:
        return end <= len(self._done) and self._done.find(0, first, end) < 0

    def book(self, task: int, outcome: Outcome, line: bytes, value: Values | None = None) -> bool:
        """Book one task, with its finished line and its value, if kept; False where it had its outcome already."""
        self._make_room(task + 1)
        if self._done[task]:
            return False
        self._done[task] = 1
        self._booked += 1
        self.outcomes[outcome] += 1
        if self.results is not None:
            self._keep_one(self.results, task, outcome, value)
        self._events.emit_result(self._step, task, outcome, line)
        return True

    def book_run(self, first: int, lines: list[bytes], values: Values | None = None) -> int:
        """Book tasks `first`, `first` + 1, … that returned, a line each; the index behind the last is returned."""
        end = first + len(lines)
        self._make_room(end)
        if self._done.find(1, first, end) >= 0:
            each: Iterable[Values | None] = repeat(None) if values is None else values.each()
            for task, line, value in zip(range(first, end), lines, each, strict=False):
                self.book(task, "returned", line + b"\n", value)
        else:
            if self.results is not None and values is not None:
                self.results.add(values)
            self._done[first:end] = b"\1" * len(lines)
            self._booked += len(lines)
            self.outcomes["returned"] += len(lines)
            self._events.emit_run(self._step, first, lines)
        return end

    def book_count(self, first: int, count: int, values: Values | None = None) -> int:
        """Book tasks that returned and have no lines; return the index behind the last.

        Some of them may have been counted before, from the worker's board.
        """
        end = first + count
        self._make_room(end)
        known = self._done.count(1, first, end)
        if self.results is not None and values is not None:
            self._keep_unknown(self.results, values, known)
        self._counted += self._unknown(first, end)
        self._done[first:end] = b"\1" * count
        self._booked += count - known
        self.outcomes["returned"] += count - known
        if known < count:
            self._events.count(self._step, count - known)
        return end

    def _unknown(self, first: int, end: int) -> Iterator[tuple[int, int]]:
        """The ranges of tasks from `first` to `end` - 1 that have no outcome yet."""
        start = self._done.find(0, first, end)
        while start >= 0:
            known = self._done.find(1, start, end)
            stop = known if known >= 0 else end
            yield start, stop
            start = self._done.find(0, stop, end)

    def book_reused(self, first: int, count: int, values: Values | None, run_id: str) -> None:
        """Book tasks in a row that have no lines, nor an outcome yet, and returned in the run `run_id`."""
        self.book_count(first, count, values)
        self._counted.pop()
        last = first + count - 1
        self._events.emit("tasks.counted", step=self._step, first=first, last=last, returned=count, reused=run_id)

    def log_counted(self) -> None:
        """Tell of the tasks that were only counted since the last time, as ranges of indexes."""
        ranges, self._counted = merged(self._counted), []
        for first, end in ranges:
            self._events.emit("tasks.counted", step=self._step, first=first, last=end - 1, returned=end - first)

    def book_by_parent(self, task: int, outcome: Outcome, fields: dict[str, Any]) -> bool:
        """Book a task whose outcome no child could report."""
        about = {"event": "task.result", "step": self._step, "task": task, "outcome": outcome}
        return self.book(task, outcome, result_line(about | fields))

    def _keep_one(self, results: StepResults, task: int, outcome: Outcome, value: Values | None) -> None:
        if outcome == "returned" and value is not None:
            results.add(value)
        else:
            results.add_none(task)

    def _keep_unknown(self, results: StepResults, values: Values, known: int) -> None:
        """Keep the values of those tasks that have no outcome yet; `known` is how many have."""
        if not known:
            results.add(values)
            return
        for value in values.each():
            if not self._done[value.first]:
                results.add(value)

    def missing(self, count: int) -> Iterator[int]:
        """The tasks below `count` that have no outcome."""
        self._make_room(count)
        task = self._done.find(0, 0, count)
        while task >= 0:
            yield task
            task = self._done.find(0, task + 1, count)

    def _make_room(self, count: int) -> None:
        if count > len(self._done):
            self._done.extend(bytes(max(count, 2 * len(self._done)) - len(self._done)))


def merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Half-open ranges, sorted, with those that touch or overlap as one."""
    result: list[tuple[int, int]] = []
    for first, end in sorted(ranges):
        if result and first <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((first, end))
    return result
