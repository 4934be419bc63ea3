"""Makes the calls of a step in this process, with the data that a child would get and the events that it would have."""

from __future__ import annotations

import os
import time
from array import array
from collections.abc import Mapping
from typing import Any, Protocol

from mprun.engines.inline.surroundings import surrounded
from mprun.engines.pool import NOT_SET_UP, PoolExecution, PoolWorker
from mprun.engines.process.work import ProcessWorks
from mprun.engines.results.ledger import Ledger
from mprun.engines.seam import Run
from mprun.engines.supply.supply import SourceSupply, Supply
from mprun.engines.supply.table import supply_of
from mprun.engines.table import INLINE_ENGINE
from mprun.language.targets import Target
from mprun.plan.cells import Labels
from mprun.plan.plan import PoolStep, ProcessStep
from mprun.sources.table import ListSource
from mprun.worker.calls.calls import Call
from mprun.worker.calls.exceptions import exception_fields
from mprun.worker.calls.finalizing import call_finalizer, final_line
from mprun.worker.calls.pool_setup import set_up
from mprun.worker.calls.step import make_call
from mprun.worker.calls.tasks import Tasks
from mprun.worker.wire.result_frames import Values

Made = tuple[Call, Any, Any, Values | None]  # how it ended, its arguments, and its value if that is stored

NOT_MEASURED = {"cpu_time": None, "max_rss": None}  # one call among others in a process can't be measured
_WORKER = 1


class InlineCalls(Protocol):
    """The calls of one step, with their bookkeeping."""

    event: str  # of a call: `process` or `task`
    supply: Supply
    ledger: Ledger

    def begin(self) -> str:
        """Prepare. Return why that failed, or an empty text. Raises OSError if results can't be stored."""

    def about(self, task: int, item: Any) -> dict[str, Any]:
        """The fields of a call's events that identify it."""

    def started(self, about: Mapping[str, Any]) -> None:
        """Log that an attempt starts."""

    def make(self, about: Mapping[str, Any], item: Any) -> Made: ...

    def key(self) -> Mapping[str, Any]:
        """The `key` of the last call as a field of its event; empty if it has none."""
        ...

    def ended(self, about: Mapping[str, Any], duration: float) -> None:
        """Log what follows the outcome of an attempt."""

    def finish(self, stopping: str) -> str:
        """End the step: all calls have ended, or `stopping` says why no more starts.

        Return what failed, or an empty text.
        """
        ...


def calls_of(run: Run, step: ProcessStep | PoolStep) -> InlineCalls:
    return PoolCalls(run, step) if isinstance(step, PoolStep) else ProcessCalls(run, step)


class ProcessCalls:
    """The calls of a process, or of the cells of a fan-out."""

    event = "process"

    def __init__(self, run: Run, step: ProcessStep) -> None:
        self.supply = SourceSupply(ListSource((None,))) if step.cells is None else supply_of(run, step)
        self.ledger = Ledger(run.events, step.name)
        self._run = run
        self._step = step
        self._labels = Labels(None)

    def begin(self) -> str:
        cells = self._step.cells
        if cells is not None and not (cells.needs_a_run or self.supply.error):
            self._labels = Labels(cells, self._step.keys)
        self._works = ProcessWorks(self._run, self._step, self.supply)
        self.ledger.results = self._works.results
        return ""

    def about(self, task: int, item: Any) -> dict[str, Any]:
        about = {"step": self._step.name, "pid": os.getpid()}
        return about if self._step.cells is None else about | {"task": task, "cell": self._labels.of_next(item)}

    def started(self, about: Mapping[str, Any]) -> None:
        self._run.events.emit("process.started", **about)

    def make(self, about: Mapping[str, Any], item: Any) -> Made:
        work = self._works.work() if self._step.cells is None else self._works.of_cell(item)
        ended, args, kwargs, keeper = make_call(work, about, lambda task, now: None)
        return ended, args, kwargs, None if keeper is None else _value_of(keeper)

    def key(self) -> Mapping[str, Any]:
        return {}  # a cell is identified by its label

    def ended(self, about: Mapping[str, Any], duration: float) -> None:
        end = {"exitcode": 0, "signal": None, "duration": round(duration, 6)}
        self._run.events.emit("process.joined", **about, **end, **NOT_MEASURED)

    def finish(self, stopping: str) -> str:
        return ""  # a process has nothing more to report


class PoolCalls(PoolExecution[PoolWorker]):
    """The calls of a pool whose one worker is this process."""

    event = "task"
    _worker: Mapping[str, Any] = {}  # the fields of its events, once it has begun
    _is_ready = False

    def begin(self) -> str:
        self.get_ready()
        self.log_pool_started(INLINE_ENGINE)
        self._worker = {"step": self.step.name, "worker": _WORKER, "pid": os.getpid()}
        self.run.events.emit("worker.started", **self._worker)
        work = self.work(time.time())
        try:
            self._tasks = Tasks(*set_up(work))
        except BaseException as error:  # noqa: BLE001 -- the user's code; becomes the step's error, whatever it is
            exception = exception_fields(error)
            self.run.events.emit("worker.unready", **self._worker, **exception)
            return f"{NOT_SET_UP}: it raised {exception['exception.type']}: {exception['exception.message']}"
        self._is_ready = True
        return ""

    def about(self, task: int, item: Any) -> dict[str, Any]:
        return {**self._worker, "task": task}

    def started(self, about: Mapping[str, Any]) -> None:
        """Do nothing: no event reports a task's start."""

    def make(self, about: Mapping[str, Any], item: Any) -> Made:
        if self._tasks.keeper is not None:
            self._tasks.keeper.attempt = about["attempt"]
        ended, (args, kwargs) = self._tasks.make(about["task"], item)
        return ended, args, kwargs, None if self._tasks.keeper is None else _value_of(self._tasks.keeper)

    def key(self) -> Mapping[str, Any]:
        return self._tasks.key

    def ended(self, about: Mapping[str, Any], duration: float) -> None:
        """Do nothing: only the result reports it."""

    def finish(self, stopping: str) -> str:
        if not self._worker:
            return ""
        self.ledger.log_counted()
        if self._is_ready and self.step.finalizer is not None:
            self._finalize(self.step.finalizer, stopping)
        end = {"exitcode": 0, "signal": None, "reason": "retired", "tasks": self.ledger.booked}
        self.run.events.emit("worker.joined", **self._worker, **end, **NOT_MEASURED)
        self.log_pool_joined(0, self.supply.error)
        if stopping and self.results is not None:
            self.results.whole = False
        return self.error

    def _finalize(self, finalizer: Target, stopping: str) -> None:
        if stopping:
            self.finals.cut = self.ledger.booked > 0
            self.run.events.emit("worker.finalized", **self._worker, outcome="cancelled", cancelled_by=stopping)
            return
        keep = None if self.finals.results is None else self.finals.results.files
        with surrounded(self.step.surroundings, self.run.unset):
            ended, keeper = call_finalizer(finalizer, _WORKER, keep)
        line = final_line(self.step.name, _WORKER, os.getpid(), ended)
        value = None if keeper is None else _value_of(keeper)
        self.finals.book(_WORKER, ended.outcome, line, value)


def _value_of(keeper: Any) -> Values:
    return Values(keeper.task, keeper.attempt, keeper.items, array("q", [keeper.length]), keeper.data)
