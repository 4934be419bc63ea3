"""What all engines of pools share: they set up workers, and log their starts and ends."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from typing import Any, Generic, TypeVar

from mprun.engines.child.child import Child, Ending
from mprun.engines.results.finals import Finals
from mprun.engines.results.ledger import Ledger
from mprun.engines.results.reuse import ReuseFilter
from mprun.engines.results.scope import scope_for
from mprun.engines.results.store import StepResults
from mprun.engines.results.tracking import Tracked
from mprun.engines.seam import Run
from mprun.engines.supply.table import supply_of
from mprun.engines.threads import with_thread_counts
from mprun.language.references import references_in
from mprun.plan.call_files import files_of
from mprun.plan.plan import PoolStep, command_arguments
from mprun.sources.table import ListSource
from mprun.worker.boot.process import CHILD_CLASSES, ChildProcess
from mprun.worker.calls.pool_setup import PoolWork
from mprun.worker.calls.scope import Scope

NOT_SET_UP = "a worker could not be set up"


class PoolWorker:
    """What the parent knows of one worker of a pool. `tasks` counts those that it has finished."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self.number = child.process.worker
        self.tasks = 0
        self.said_goodbye = False
        self.unready = False
        self.finalized = False  # whether the log says how its finalizer ended
        self.usage: dict[str, Any] = {"cpu_time": None, "max_rss": None}

    @property
    def reason(self) -> str:
        """Why it ended: `retired` (no work left, or maxtasksperchild), `unready`, `stopped` by mprun, or `died`."""
        if self.said_goodbye:
            return "retired"
        if self.unready:
            return "unready"
        return "stopped" if self.child.stopped_by else "died"

    def attempt_at(self, task: int) -> int | None:
        """Which attempt at `task` it runs; None where that attempt is over."""
        return 1


W = TypeVar("W", bound=PoolWorker)


class PoolExecution(Generic[W]):
    """The state that all engines of pools have, and the events that they all log."""

    def __init__(self, run: Run, step: PoolStep) -> None:
        self.step = step
        self.error = ""
        self.run = run
        self.supply = supply_of(run, step)
        self.ledger = Ledger(run.events, step.name)
        self.finals = Finals(run, step)
        self.workers: dict[int, W] = {}  # the living, by pid
        self._began = time.monotonic()
        self._around = with_thread_counts(step.surroundings, step.processes)
        self._numbers = itertools.count(1)
        self._scope: Scope | None = None
        self._items_refer = False
        self._tracked: Tracked | None = None

    @property
    def outcomes(self) -> Counter[str]:
        return self.ledger.outcomes

    @property
    def results(self) -> StepResults | None:
        """The stored results; None where the step stores none, or none yet."""
        return self.ledger.results

    def get_ready(self) -> None:
        """Open the files for results, and look up the values of references, when the step starts. Raises OSError."""
        step, items = self.step, _written_items(self.step)
        self._scope = scope_for(
            self.run, (step.args, step.kwargs, step.initargs, command_arguments(step), step.inputs, step.outputs, items)
        )
        self._items_refer = self._scope is not None and any(references_in(items))
        if step.keeps:
            self.ledger.results = self.run.store.open(step)
        self.finals.open()
        self._tracked = self.run.tracking.begin(step.name)

    def reuse_filter(self) -> ReuseFilter | None:
        """The filter that each item passes; None where none is needed."""
        tracked, logged = self._tracked, self.run.plan.log_tasks == "all"
        if tracked is None or not tracked.looks_at_items:
            return None
        notes = self.run.tracking.file_notes
        return ReuseFilter(tracked, self.supply, self.ledger, self.step, notes, logged=logged)

    def signal(self, number: int) -> None:
        for worker in self.workers.values():
            worker.child.signal(number)

    def end_all(self, number: int, why: str) -> None:
        for worker in self.workers.values():
            worker.child.end(number, why)

    def output(self, child: Child, stream: str, task: int | None, line: bytes) -> None:
        about = {"step": self.step.name, "worker": child.process.worker, "pid": child.pid}
        if task is not None:
            about["task"] = task
            if attempt := self.workers[child.pid].attempt_at(task):
                about["attempt"] = attempt
        self.run.events.emit_output(about, stream, line)

    def suspended(self, child: Child, suspended: bool) -> None:
        event = "worker.suspended" if suspended else "worker.continued"
        self.run.events.emit(event, step=self.step.name, worker=child.process.worker, pid=child.pid)

    def work(self, submitted: float = 0.0) -> PoolWork:
        """What each worker needs to know of the step."""
        step = self.step
        return PoolWork(
            step=step.name,
            call=step.call,
            target=step.target,
            initializer=step.initializer,
            initargs=step.initargs,
            submitted=submitted,
            retries=step.limits.retries,
            log_tasks=self.run.plan.log_tasks,
            converts=step.converts,
            keep=None if self.results is None else self.results.files,
            scope=self._scope,
            items_refer=self._items_refer,
            items_are=self.supply.items_are,
            items_from=self.supply.items_from,
            kwargs={} if step.call == "apply" else step.kwargs,
            decoding=self.supply.decoding,
            command=command_arguments(step),
            keys=step.keys,
            finalizer=step.finalizer,
            final_files=None if self.finals.results is None else self.finals.results.files,
            files=files_of(step, self.run.tracking.file_notes),
        )

    def make_process(self, *args: Any, **kwargs: Any) -> ChildProcess:
        """The next worker's Process, not started; the arguments are those of `multiprocessing.Process`."""
        process = CHILD_CLASSES[self.run.plan.start_method](*args, **kwargs)
        process.surroundings = self._around
        process.unset = self.run.unset
        process.worker = next(self._numbers)
        return process

    def log_pool_started(self, engine: str = "") -> None:
        self.run.events.emit(
            "pool.started",
            step=self.step.name,
            engine=engine or self.step.engine,
            call=self.step.call,
            processes=self.step.processes,
            start_method=self.run.plan.start_method,
            **({"finalizer": self.step.finalizer.text} if self.step.finalizer else {}),
        )

    def log_worker_started(self, worker: W) -> None:
        self.run.events.emit("worker.started", step=self.step.name, worker=worker.number, pid=worker.child.pid)

    def log_unready(self, worker: W, exception: dict[str, str]) -> str:
        """Log that `worker` could not be set up; return that as the step's error."""
        worker.unready = True
        self.run.events.emit(
            "worker.unready", step=self.step.name, worker=worker.number, pid=worker.child.pid, **exception
        )
        what = self.step.initializer.text if self.step.initializer else self.step.target.text
        return f"{NOT_SET_UP}: `{what}` raised {exception['exception.type']}: {exception['exception.message']}"

    def log_worker_joined(self, worker: W, ending: Ending) -> None:
        self.run.events.emit(
            "worker.joined",
            step=self.step.name,
            worker=worker.number,
            pid=worker.child.pid,
            exitcode=ending.exitcode,
            signal=ending.signal_name or None,
            reason=worker.reason,
            tasks=worker.tasks,
            **worker.usage,
        )

    def log_pool_joined(self, slots: int, source_error: str) -> None:
        """Log the pool's end and give back its `slots`: the last act before `finished`."""
        if self.results is not None:
            self.results.whole = not (self.error or source_error)
        self._end_finals()
        if source_error:
            self.error = self.error or f"its items could not be read: {source_error}"
        self.run.events.emit("pool.joined", step=self.step.name, duration=round(time.monotonic() - self._began, 6))
        self.run.slots.give_back(slots)

    def _end_finals(self) -> None:
        self.finals.close()
        self.error = self.error or self.finals.error
        if self.finals.cut and not self.outcomes["cancelled"]:
            self.error = self.error or "it was stopped before the finalizers of its workers were called"


def _written_items(step: PoolStep) -> tuple[Any, ...]:
    """The items that stand in the plan: only those can hold references."""
    if step.call == "apply":
        return step.args, step.kwargs
    return step.source.values if isinstance(step.source, ListSource) else ()
