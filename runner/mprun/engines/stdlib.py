"""A pool step as literally `multiprocessing.Pool` and the call of it that the workflow names.

The Pool itself hangs when a worker dies, and tells nothing before a `map` has ended. So each worker has a pipe of its
own, over which it tells of each task; the parent watches the workers and, when one dies, gives the Pool up: it kills the
others, calls every task without a result lost, and leaves the Pool's threads be (its `terminate` can wait for ever on
a lock that the dead worker held).
"""

from __future__ import annotations

import contextlib
import itertools
import json
import multiprocessing
import signal
import threading
import time
from collections import Counter
from functools import partial
from multiprocessing import pool as pools
from multiprocessing.context import BaseContext
from typing import Any

from mprun.engines.child import Child, Ending
from mprun.engines.feed import Feed
from mprun.engines.results import end_without_result, result_line
from mprun.engines.run import Finished, Run
from mprun.events import OUTCOMES, Outcome
from mprun.plan import PoolStep
from mprun.worker.frames import GOODBYE, RESULT, UNREADY, read_result
from mprun.worker.pool_task import PoolWork, run_apply, run_one, run_star, set_up
from mprun.worker.process import CHILD_CLASSES, ChildProcess

# A Pool that was given up is kept, as collecting it would wait for its threads.
_given_up: list[pools.Pool] = []


class Worker:
    """What the parent notes of one child of a pool."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self.tasks = 0
        self.said_goodbye = False
        self.unready = False
        self.usage: dict[str, Any] = {"cpu_time": None, "max_rss": None}


class StdlibPoolExecution:
    """Runs one pool step through `multiprocessing.Pool`."""

    def __init__(self, run: Run, step: PoolStep, finished: Finished) -> None:
        self.step = step
        self.outcomes: Counter[str] = Counter()
        self.error = ""
        self._run = run
        self._finished = finished
        self._began = time.monotonic()
        self._workers: dict[int, Worker] = {}  # the living, by pid
        self._numbers = itertools.count(1)
        self._pool: pools.Pool | None = None
        self._feed = Feed(step.source, _ahead(step), partial(run.loop.call_soon_from_thread, self._close_when_done))
        self._done = bytearray()  # one byte a task: whether it has its result
        self._closing = False
        self._joined = False
        self._ended = False
        self._stopping = ""  # why mprun itself ends the pool's workers
        self._broken = ""

    # -- what the run asks of an execution

    def start(self) -> None:
        step = self.step
        self._run.events.emit(
            "pool.started",
            step=step.name,
            call=step.call,
            processes=step.processes,
            start_method=self._run.plan.start_method,
        )
        work = PoolWork(step.name, step.target, step.initializer, step.initargs, time.time())
        context = _context(self._run.plan.start_method, self._make_process)
        try:
            self._pool = context.Pool(step.processes, set_up, (work,), step.maxtasksperchild or None)
        except OSError as error:
            self._give_up(f"its workers could not be started: {error}")
            return
        self._hand_over(self._pool)

    def cancel(self, why: str) -> None:
        self._stopping = self._stopping or why
        self._feed.stop()
        for worker in self._workers.values():
            worker.child.process.board.stop()

    def end(self, number: int, why: str) -> None:
        self._give_up("", why)
        for worker in self._workers.values():
            worker.child.end(number, why)

    def signal(self, number: int) -> None:
        for worker in self._workers.values():
            worker.child.signal(number)

    # -- the Pool

    def _make_process(self, *args: Any, **kwargs: Any) -> ChildProcess:
        """What the Pool calls for each of its workers, also from its own thread."""
        process = CHILD_CLASSES[self._run.plan.start_method](*args, **kwargs)
        process.surroundings = self._run.plan.surroundings
        process.unset = self._run.unset
        process.worker = next(self._numbers)
        process.on_started = lambda process: self._run.loop.call_soon_from_thread(partial(self._started, process))
        return process

    def _hand_over(self, pool: pools.Pool) -> None:
        step = self.step
        chunk = step.chunksize or None
        match step.call:
            case "apply":
                for _ in self._feed:  # counts the one task; its arguments are the call's own
                    pass
                pool.apply_async(run_apply, (step.args, step.kwargs))
            case "map":
                pool.map_async(run_one, self._feed, chunk)
            case "starmap":
                pool.starmap_async(run_star, self._feed, chunk)
            case "imap":
                pool.imap(run_one, self._feed, chunk or 1)
            case "imap_unordered":
                pool.imap_unordered(run_one, self._feed, chunk or 1)

    def _close_when_done(self) -> None:
        if self._closing or self._broken or not self._feed.ended or self._pool is None:
            return
        if sum(self.outcomes.values()) == self._feed.handed_out:
            self._closing = True
            self._pool.close()
            threading.Thread(target=self._join_pool, args=(self._pool,), daemon=True).start()
            self._run.loop.call_later(self._run.plan.grace_period, self._end_stragglers)

    def _join_pool(self, pool: pools.Pool) -> None:
        pool.join()
        self._run.loop.call_soon_from_thread(self._pool_joined)

    def _pool_joined(self) -> None:
        self._joined = True
        self._finish_when_empty()

    def _end_stragglers(self) -> None:
        """Every task is done, but a worker stays: it ignores the end, or a killed one took the queue's lock along."""
        if not self._joined:
            self._give_up("", "it stayed after the pool's end")
            self._kill_all("it stayed after the pool's end")

    def _give_up(self, error: str, why: str = "") -> None:
        """Let the Pool start no worker and wait for none: from here on it is only a list of children to end."""
        self.error = self.error or error
        self._stopping = self._stopping or why
        if self._broken:
            return
        self._broken = error or why
        self._feed.stop()
        if self._pool is not None:
            _abandon(self._pool)
        self._run.loop.call_soon(self._finish_when_empty)

    def _kill_all(self, why: str) -> None:
        for worker in self._workers.values():
            worker.child.end(signal.SIGKILL, why)

    # -- its workers

    def _started(self, process: ChildProcess) -> None:
        child = Child(self._run.loop, process, self)
        self._workers[child.pid] = Worker(child)
        self._run.events.emit("worker.started", step=self.step.name, worker=process.worker, pid=child.pid)
        if self._stopping:
            process.board.stop()
        if self._broken:
            child.end(signal.SIGKILL, self._broken)

    def frame(self, child: Child, kind: int, body: bytes) -> None:
        worker = self._workers[child.pid]
        if kind == RESULT:
            task, code, line = read_result(body)
            worker.tasks += 1
            self._note(task, OUTCOMES[code], line)
        elif kind == GOODBYE:
            worker.said_goodbye = True
            worker.usage = json.loads(body)
        elif kind == UNREADY:
            worker.unready = True
            self._tell_unready(worker, json.loads(body))

    def _tell_unready(self, worker: Worker, exception: dict[str, str]) -> None:
        self._run.events.emit(
            "worker.unready", step=self.step.name, worker=worker.child.process.worker, pid=worker.child.pid, **exception
        )
        what = self.step.initializer.text if self.step.initializer else self.step.target.text
        told = f"{exception['exception.type']}: {exception['exception.message']}"
        self._stopping = self._stopping or "a worker could not be set up"
        self._give_up(f"a worker could not be set up: `{what}` raised {told}", self._stopping)
        self._kill_all(self._stopping)

    def output(self, child: Child, stream: str, task: int | None, line: bytes) -> None:
        about = {"step": self.step.name, "worker": child.process.worker, "pid": child.pid}
        self._run.events.emit_output(about if task is None else about | {"task": task}, stream, line)

    def ended(self, child: Child, ending: Ending) -> None:
        worker = self._workers.pop(child.pid)
        reason = _reason(worker, self._closing)
        self._run.events.emit(
            "worker.joined",
            step=self.step.name,
            worker=child.process.worker,
            pid=child.pid,
            exitcode=ending.exitcode,
            signal=ending.signal_name or None,
            reason=reason,
            tasks=worker.tasks,
            **worker.usage,
        )
        if reason == "died":
            self._lose_task_at_work(child, ending)
            self._give_up(f"the pool broke: worker {child.process.worker} (pid {child.pid}) {ending}")
            self._kill_all("the pool broke")
        self._finish_when_empty()

    # -- its tasks

    def _note(self, task: int, outcome: Outcome, line: bytes) -> None:
        if task >= len(self._done):
            self._done.extend(bytes(max(task + 1, 2 * len(self._done)) - len(self._done)))
        if self._done[task]:
            return
        self._done[task] = 1
        self.outcomes[outcome] += 1
        self._run.events.emit_result(self.step.name, task, outcome, line)
        self._feed.done_one()
        self._close_when_done()

    def _lose_task_at_work(self, child: Child, ending: Ending) -> None:
        task = child.process.board.task
        if task is not None:
            outcome, fields = end_without_result(child, ending)
            about = {"worker": child.process.worker, "pid": child.pid}
            self._note_by_parent(task, outcome, about | fields)

    def _note_by_parent(self, task: int, outcome: Outcome, fields: dict[str, Any]) -> None:
        about = {"event": "task.result", "step": self.step.name, "task": task, "attempt": 1}
        self._note(task, outcome, result_line(about | fields))

    def _settle_the_rest(self) -> None:
        """Give every task that has no result its outcome: a task that was declared is accounted for."""
        outcome: Outcome = "cancelled" if self._stopping else "lost"
        why = {"cancelled_by": self._stopping} if self._stopping else {"reason": self._broken}
        declared = self.step.source.count()
        for task in range(self._feed.handed_out if declared is None else declared):
            if task >= len(self._done) or not self._done[task]:
                self._note_by_parent(task, outcome, {"outcome": outcome, **why})

    def _finish_when_empty(self) -> None:
        if self._ended or self._workers or not (self._joined or self._broken):
            return
        self._ended = True
        self._settle_the_rest()
        if self._feed.error is not None:
            self.error = f"its items could not be read: {self._feed.error}"
        elif self._feed.cut:
            self.error = "it was stopped before the end of its items"
        self._run.events.emit("pool.joined", step=self.step.name, duration=round(time.monotonic() - self._began, 6))
        self._finished(self)


def _ahead(step: PoolStep) -> int:
    """How many items may be out at once: without bound where the Pool itself reads them whole, as `map` does."""
    if not step.call.startswith("imap"):
        return 0
    return max(64, 4 * step.processes * max(1, step.chunksize))


def _reason(worker: Worker, closing: bool) -> str:
    """Why a worker ended: `retired` (no work left, or maxtasksperchild), `unready`, `stopped` by mprun, or `died`."""
    if worker.said_goodbye:
        return "retired"
    if worker.unready:
        return "unready"
    return "stopped" if worker.child.stopped_by else "died"


def _context(start_method: str, make_process: Any) -> BaseContext:
    """A context of `multiprocessing` whose Processes are made by `make_process`."""
    standard = multiprocessing.get_context(start_method)
    return type("Supervised", (type(standard),), {"Process": staticmethod(make_process)})()  # type: ignore[no-any-return]


def _abandon(pool: pools.Pool) -> None:
    """Stop the Pool's worker handler from starting workers, and the interpreter from waiting for the Pool."""
    internals: Any = pool
    internals._worker_handler._state = pools.TERMINATE
    internals._state = pools.TERMINATE
    internals._change_notifier.put(None)
    internals._worker_handler.join()  # it may be starting one; it waits for nothing else
    with contextlib.suppress(AttributeError):
        internals._terminate.cancel()
    _given_up.append(pool)
