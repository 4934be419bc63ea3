"""What the finalizers of a pool's workers return: booked once for each worker. Lost ones are errors.

Finals are stored as results of tasks are, under a name of their own, with a worker's number in place of a task.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from mprun.engines.child.child import Ending
from mprun.engines.child.ends import end_without_result
from mprun.engines.results.store import StepResults, not_stored
from mprun.engines.seam import Run
from mprun.log.codec.lines import fields_of
from mprun.log.words import OUTCOMES, Outcome
from mprun.plan.plan import PoolStep
from mprun.worker.wire.frames import FrameError, read_result
from mprun.worker.wire.result_frames import Values

if TYPE_CHECKING:
    from mprun.engines.pool import PoolWorker


LOOK_INTERVAL = 0.25  # seconds between two looks at running finalizers, where nothing else needs a look
SHORTEST = 1.0  # seconds that a finalizer has at least


class Finals:
    """The finals of one pool. `error` says why some are missing; `cut`: the pool was stopped before all had come."""

    def __init__(self, run: Run, step: PoolStep) -> None:
        self.error = ""
        self.cut = False
        self.results: StepResults | None = None
        self._run = run
        self._step = step
        self._what = f"its finalizer `{step.finalizer.text}`" if step.finalizer else ""

    def open(self) -> None:
        """Begin to store the finals, if anything refers to them. Raises OSError."""
        if self._step.keeps_finals:
            self.results = self._run.store.open_finals(self._step.name)

    def close(self) -> None:
        """All workers have ended."""
        if self.results is not None:
            self.results.end("")
            self._fail(not_stored(self.results.error) if self.results.error else "")

    # -- how each ends

    def reported(self, worker: PoolWorker, body: bytes, values: Values | None) -> None:
        """Book the FINAL frame of `worker`; `values` is from its VALUES frame before. Raises FrameError."""
        number, code, line = read_result(body)
        if number != worker.number or worker.finalized:
            raise FrameError("the end of a finalizer that isn't its own")
        if OUTCOMES[code] != "returned" and worker.child.verdict == "timed_out":
            return  # the finalizer raised because mprun ended it
        if OUTCOMES[code] == "returned" and self.results is not None and not _is_of(number, values):
            raise FrameError("the end of a finalizer without its value")
        worker.finalized = True
        self.book(number, OUTCOMES[code], line, values)

    def book(self, number: int, outcome: Outcome, line: bytes, value: Values | None) -> None:
        """Book how the finalizer of worker `number` ended, with its finished line, and its value if stored."""
        if outcome != "returned":
            self._fail(self._failure(number, fields_of(line)))
        elif self.results is not None and value is not None:
            self.results.add(value)
        self._run.events.emit_line(line)

    def ended(self, worker: PoolWorker, ending: Ending, done: int, stopping: str) -> None:
        """`worker` has ended: log the end of its finalizer, if the worker didn't report it.

        `done` counts the tasks that it had finished; `stopping` says why the pool starts no more, if so.
        """
        if self._step.finalizer is None or worker.finalized or worker.unready:
            return
        worker.finalized = True
        began = worker.child.process.board.finalizing_since
        if began and self.results is not None:
            self.results.files.discard(worker.number, 1, worker.child.pid)
        fields = end_without_result(worker.child, ending)[1] if began else _never_called(worker, ending, stopping)
        if fields["outcome"] == "cancelled" and stopping:
            self.cut = self.cut or done > 0
        elif began or done:
            self._fail(self._failure(worker.number, fields) if began else self._loss(worker.number, done, fields))
        about = {"step": self._step.name, "worker": worker.number, "pid": worker.child.pid}
        self._run.events.emit("worker.finalized", **about, **fields)

    # -- how long each may take

    def end_overdue(self, worker: PoolWorker) -> None:
        """End `worker` if its finalizer has taken longer than it may."""
        if self.is_at_work(worker) and _seconds_since(worker.child.process.board.finalizing_since) > self._most:
            worker.child.terminate(self._run.plan.grace_period, f"it took longer than {self._limit}", "timed_out")

    def is_at_work(self, worker: PoolWorker) -> bool:
        """Whether `worker` is inside its finalizer."""
        return worker.child.process.board.finalizing_since != 0 and not worker.finalized

    @property
    def _most(self) -> float:
        """Seconds."""
        return max(SHORTEST, self._run.plan.grace_period, self._step.limits.timeout)

    @property
    def _limit(self) -> str:
        named = "its timeout" if self._most == self._step.limits.timeout else "the grace_period"
        return f"{named} of {self._most:g} s"

    # -- errors of the step

    def _fail(self, error: str) -> None:
        self.error = self.error or error

    def _failure(self, number: int, fields: dict[str, Any]) -> str:
        where = f"in worker {number}"
        if "reason" in fields or "cancelled_by" in fields:
            why = fields.get("reason") or fields.get("cancelled_by")
            return f"{self._what} has ended without a result {where}: {why}"
        raised = f"{fields['exception.type']}: {fields['exception.message']}"
        if fields["outcome"] == "unpicklable":
            return f"what {self._what} has returned {where} can't be pickled: {raised}"
        return f"{self._what} raised {raised} ({where})"

    def _loss(self, number: int, done: int, fields: dict[str, Any]) -> str:
        tasks = f"{done:,} task" if done == 1 else f"{done:,} tasks"
        why = fields.get("reason") or fields.get("cancelled_by")
        return f"worker {number} has ended after {tasks} before {self._what} was called: {why}"


def _is_of(number: int, values: Values | None) -> bool:
    """Whether `values` has exactly the value of worker `number`."""
    return values is not None and (values.first, len(values.lengths)) == (number, 1)


def _never_called(worker: PoolWorker, ending: Ending, stopping: str) -> dict[str, Any]:
    """The event fields for a finalizer whose worker ended before it."""
    child = worker.child
    if worker.said_goodbye or (child.stopped_by and child.verdict == "cancelled"):
        return {"outcome": "cancelled", "cancelled_by": child.stopped_by or stopping}
    end = {"exitcode": ending.exitcode, "signal": ending.signal_name or None}
    return {"outcome": "lost", "reason": child.stopped_by or f"the worker {ending}", **end}


def _seconds_since(ns: int) -> float:
    return (time.monotonic_ns() - ns) / 1e9
