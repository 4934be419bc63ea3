"""How children store results: they pickle and send each value before they report its result.

Small values go to the parent, which appends them to the step's file. The child writes a large value into a file of its
own, so that the parent never touches it.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Sequence
from typing import Any

from mprun.errors.exceptions import SecretError
from mprun.log.values import to_json
from mprun.log.words import Outcome
from mprun.results.files import ResultFiles, pickle_value
from mprun.worker.boot import process
from mprun.worker.calls.calls import judge
from mprun.worker.calls.pool_setup import PoolWork
from mprun.worker.calls.serve import SEND_INTERVAL, Server
from mprun.worker.wire import board as boards
from mprun.worker.wire.frames import COUNTED, DROPPED, RUN, VALUES, counted_body, run_head
from mprun.worker.wire.output import flush_output
from mprun.worker.wire.result_frames import Values, values_parts


class Keeper:
    """Pickles the values that calls return. Its `judge` replaces the test whether a value can be pickled.

    `length`, `data` and `items` then describe the last value, as in `result_frames.Values`. With `single`, the step has
    one call, whose value may be read as a list of items.
    """

    def __init__(self, files: ResultFiles, *, single: bool) -> None:
        self.task = 0
        self.attempt = 1
        self.length = 0
        self.data = b""
        self.items = -1
        self._files = files
        self._single = single

    def judge(self, value: Any, error: BaseException | None) -> tuple[Outcome, BaseException | None]:
        """As `calls.judge`. If a value can't be written to its file, the call fails with that OSError."""
        flush_output()  # ends a copy of this process that the user's code forked: it must write nothing
        outcome, error = judge(None, error)
        if error is not None:
            return outcome, error
        try:
            pickled = pickle_value(value)
        except BaseException as refused:  # noqa: BLE001 -- __reduce__ is the user's code
            return "unpicklable", refused
        if pickled.holds(self._files.withheld):
            return "raised", SecretError("it returned a secret, and what is kept of a run must not hold one")
        self.items = _number_of_items(value) if self._single else -1
        if not pickled.is_large:
            self.length, self.data = len(pickled.data), pickled.data
            return "returned", None
        try:
            self.length, self.data = -self._files.write_own(self.task, self.attempt, pickled), b""
        except OSError as refused:
            return "raised", refused
        return "returned", None

    def tell(self, child: process.ChildProcess) -> None:
        """Send the last value by itself."""
        values = Values(self.task, self.attempt, self.items, array("q", [self.length]), self.data)
        child.send(VALUES, *values_parts(values))


def _number_of_items(value: Any) -> int:
    """Return how many items `value[0]`, `value[1]`, … there are; -1 if `value` is not a sequence."""
    if isinstance(value, str | bytes | dict) or not hasattr(value, "__getitem__"):
        return -1
    try:
        return len(value)
    except Exception:  # noqa: BLE001 -- __len__ is the user's code
        return -1


class StoringServer(Server):
    """The server of a worker whose values are stored, with or without log lines of its tasks."""

    def __init__(
        self, child: process.ChildProcess, work: PoolWork, function: Callable[..., Any], files: ResultFiles
    ) -> None:
        super().__init__(child, work, function)
        assert child.result_memory is not None
        self._result_memory = child.result_memory
        self._keeper = Keeper(files, single=work.call == "apply")
        self._with_lines = work.log_tasks == "all"
        self._first = self._next = 0  # the run's first task, and the task after its last
        self._used = 0

    def run(self, first: int, attempt: int, sent_at: int, items: Sequence[Any]) -> None:
        self._keeper.attempt = attempt
        self._lines.begin_batch(attempt, sent_at)
        self._sent = time.monotonic_ns()
        self._start(first)
        for task, item in enumerate(items, first):
            if self._board.stopped:
                self._send()
                self._child.send(DROPPED)
                return
            began = time.monotonic_ns()
            self._board.begin(task, began)
            value, ended, outcome, error = self._call(task, item)
            flush_output()  # also what its `__reduce__` printed
            if error is not None:
                self._send()
                times = (ended - began) / 1e9, (began - sent_at) / 1e9
                self._send_failure(task, attempt, item, outcome, error, times)
                self._start(task + 1)
                continue
            self._keep(task, self._lines.line(task, to_json(value), began, ended) if self._with_lines else b"")
            if ended > self._sent + SEND_INTERVAL:
                self._send()
                self._start(task + 1)
        self._send()
        self._board.end()

    def _call(self, task: int, item: Any) -> tuple[Any, int, Outcome, BaseException | None]:
        """Make one call; return (value, end in ns, outcome, error)."""
        self._keeper.task = task
        try:
            value, error = self._invoke(item), None
        except BaseException as raised:  # noqa: BLE001 -- whatever it is, it is this task's outcome
            value, error = None, raised
        ended = time.monotonic_ns()
        return value, ended, *self._keeper.judge(value, error)

    def _keep(self, task: int, line: bytes) -> None:
        """Store the value in the result memory, then the line on the board: each line stands for a value that is
        there."""
        if self._used + len(line) > boards.ROOM or not self._result_memory.has_room(len(self._keeper.data)):
            self._send()
            self._start(task)
        self._result_memory.put(self._keeper.length, self._keeper.data, self._keeper.items)
        self._board.lines[self._used : self._used + len(line)] = line
        self._used += len(line)
        self._next = task + 1
        self._board.words[boards.USED] = self._used if self._with_lines else self._next - self._first

    def _start(self, first: int) -> None:
        """Begin a run with task `first`."""
        self._board.start_run(first)
        # The board first: a parent that still sees the old lines must still find their values.
        self._result_memory.clear(self._keeper.attempt)
        self._first = self._next = first
        self._used = 0

    def _send(self) -> None:
        before, self._sent = self._sent, time.monotonic_ns()
        count, took = self._next - self._first, self._sent - before
        if not count:
            return
        # Values first: the parent writes them before it logs the lines that refer to them.
        self._child.send(VALUES, *values_parts(self._result_memory.values(self._first, count)))
        if self._with_lines:
            self._child.send(RUN, run_head(self._first, took), self._board.lines[: self._used])
        else:
            self._child.send(COUNTED, counted_body(self._first, took, count))
