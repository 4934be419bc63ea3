"""A pool step as literally `multiprocessing.Pool` and the call of it that the workflow names.

The Pool itself hangs when a worker dies, and reports nothing before a `map` has ended. So each worker has a pipe of
its own, over which it reports each task. The parent watches the workers. When one dies, it gives the Pool up: it kills
the others, books each task without a result as lost, and abandons the Pool's threads (its `terminate` can wait forever
for a lock that the dead worker held).
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import threading
import time
from functools import partial
from multiprocessing import pool as pools
from multiprocessing.context import BaseContext
from typing import Any

from mprun.engines.child.child import Child, Ending
from mprun.engines.child.ends import end_without_result
from mprun.engines.execution import refusal
from mprun.engines.pool import NOT_SET_UP, PoolExecution, PoolWorker
from mprun.engines.results.finals import LOOK_INTERVAL, SHORTEST
from mprun.engines.results.store import not_stored
from mprun.engines.seam import Finished, Run, Upcoming
from mprun.engines.stdlib.broken_pool import abandon, clear_away, signal_workers
from mprun.engines.stdlib.feed import Feed
from mprun.log.words import OUTCOMES, Outcome
from mprun.plan.plan import PoolStep
from mprun.worker.boot.process import ChildProcess
from mprun.worker.calls.pool_task import run_apply, run_one, run_star, run_worker, set_up
from mprun.worker.wire.frames import (
    FINAL,
    GOODBYE,
    RESULT,
    UNREADY,
    VALUES,
    FrameError,
    read_fields,
    read_result,
)
from mprun.worker.wire.result_frames import Values, read_values


class StdlibPoolExecution(PoolExecution[PoolWorker]):
    """Runs one pool step through `multiprocessing.Pool`."""

    def __init__(self, run: Run, step: PoolStep, finished: Finished) -> None:
        super().__init__(run, step)
        self._finished = finished
        self._pool: pools.Pool | None = None
        self._feed = Feed(self.supply, _ahead(step), partial(run.loop.call_soon_from_thread, self._close_when_done))
        # By worker, from its last VALUES frame; the result they belong to comes next
        self._values: dict[int, Values] = {}
        self._all_submitted = False
        self._closing = False
        self._joined = False
        self._ended = False
        self._stopping = ""  # why mprun itself ends the pool's workers
        self._broken = ""
        self._abandoned = False  # it is broken, and we know every worker that it has started

    # -- what a run asks of an execution

    def ready(self) -> bool:
        return self.run.slots.take(self.step.processes)

    def slot_freed(self) -> None:
        """A Pool has all its workers from the start."""

    def start(self) -> None:
        self.log_pool_started()
        refused = refusal(self.step)
        if refused:
            self._give_up(refused, refused)
            return
        try:
            self.get_ready()
        except OSError as error:
            self._give_up(not_stored(error), "the pool could not continue")
            return
        step, context = self.step, _context(self.run.plan.start_method, self._make_process)
        try:
            self._pool = context.Pool(step.processes, set_up, (self.work(time.time()),), step.maxtasksperchild or None)
        except (OSError, EOFError):
            return  # `_not_started` gets it too
        if step.finalizer is not None:
            self._look_at_finalizers()
        # Reading the items of a `map` may take long, or wait forever (a pipe): the loop must go on meanwhile.
        threading.Thread(target=self._send_batch, args=(self._pool,), daemon=True).start()

    def cancel(self, why: str) -> None:
        self._stopping = self._stopping or why
        self._feed.stop()
        for worker in self.workers.values():
            worker.child.process.board.stop()

    def end(self, number: int, why: str) -> None:
        self._give_up("", why)
        self.end_all(number, why)
        if self._pool is not None:
            # Also those that have not reported their start: after a fault of ours, they never will
            signal_workers(self._pool, number)

    def upcoming(self) -> Upcoming | None:
        """None where each task has started, or is in the chunk of a running one."""
        chunk = chunksize_of(self.step, self._feed.submitted)
        tasks = (worker.child.process.board.task for worker in self.workers.values())
        at_work = {task // chunk for task in tasks if task is not None}
        begun = (task // chunk in at_work for task in self.ledger.missing(self._feed.submitted))
        return None if self._stopping or (self._feed.ended and all(begun)) else Upcoming()

    def is_idle(self, pid: int) -> bool:
        board = self.workers[pid].child.process.board if pid in self.workers else None
        return board is not None and board.is_ready and board.task is None

    # -- the Pool

    def _make_process(self, *args: Any, **kwargs: Any) -> ChildProcess:
        """What the Pool calls for each of its workers, also from its own thread."""
        kwargs["target"] = partial(run_worker, kwargs["target"])
        process = self.make_process(*args, **kwargs)
        self.run.sharing.equip(process, self.step)
        soon = self.run.loop.call_soon_from_thread
        process.on_started = lambda process: soon(partial(self._started, process))
        process.on_start_failed = self._start_failed
        return process

    def _start_failed(self, error: BaseException) -> None:
        self.run.loop.call_soon_from_thread(partial(self._not_started, error))
        if threading.current_thread() is not threading.main_thread():
            raise SystemExit  # ends the Pool's thread without a traceback; the Pool is given up

    def _send_batch(self, pool: pools.Pool) -> None:
        with contextlib.suppress(ValueError):  # the Pool was given up meanwhile
            self._call(pool)
        self._all_submitted = True
        self.run.loop.call_soon_from_thread(self._close_when_done)

    def _call(self, pool: pools.Pool) -> None:
        step = self.step
        chunk = step.chunksize or None
        match step.call:
            case "apply":
                for _ in self._feed:  # counts the one task; its arguments are the call's own
                    pass
                pool.apply_async(run_apply, (step.args, step.kwargs))
            case "map" | "matrix" | "zip":
                pool.map_async(run_one, self._feed, chunk)
            case "starmap":
                pool.starmap_async(run_star, self._feed, chunk)
            case "imap":
                pool.imap(run_one, self._feed, chunk or 1)
            case "imap_unordered":
                pool.imap_unordered(run_one, self._feed, chunk or 1)

    def _close_when_done(self) -> None:
        # A Pool that is closed during a call without items waits for their results forever.
        if self._closing or self._broken or not (self._all_submitted and self._feed.ended) or self._pool is None:
            return
        if self.ledger.booked == self._feed.submitted:
            self._closing = True
            self._pool.close()
            threading.Thread(target=self._join_pool, args=(self._pool,), daemon=True).start()
            self.run.loop.call_later(self.run.plan.grace_period, self._end_stragglers)

    def _join_pool(self, pool: pools.Pool) -> None:
        pool.join()
        self.run.loop.call_soon_from_thread(self._pool_joined)

    def _pool_joined(self) -> None:
        self._joined = True
        self._finish_when_empty()

    def _end_stragglers(self) -> None:
        """Every task is done, but a worker stays: it ignores the end, or a killed worker held the queue's lock. End
        it, unless it is inside its finalizer, which has a limit of its own."""
        if any(map(self.finals.is_at_work, self.workers.values())):
            self.run.loop.call_later(max(SHORTEST, self.run.plan.grace_period), self._end_stragglers)
        elif not self._joined:
            self._give_up("", "it stayed after the pool's end")
            self.end_all(signal.SIGKILL, "it stayed after the pool's end")

    def _give_up(self, error: str, why: str = "") -> None:
        """Abandon the Pool: it starts no worker and waits for none. What is left is a list of children to end."""
        self.error = self.error or error
        self._stopping = self._stopping or why
        if self._broken:
            return
        self._broken = error or why
        self._feed.stop()
        if self._pool is not None:
            abandon(self._pool)
        self.run.loop.call_soon(self._pool_abandoned)

    def _pool_abandoned(self) -> None:
        """Its thread has ended, so we know of every worker that it started."""
        self._abandoned = True
        self._finish_when_empty()

    def _look_at_finalizers(self) -> None:
        for worker in self.workers.values():
            self.finals.end_overdue(worker)
        if not self._ended:
            self.run.loop.call_later(LOOK_INTERVAL, self._look_at_finalizers)

    # -- its workers

    def _not_started(self, error: BaseException) -> None:
        why = f"a worker could not be started: {error}"
        self._give_up(why)
        self.end_all(signal.SIGKILL, why)

    def _started(self, process: ChildProcess) -> None:
        child = Child(self.run.loop, process, self, self.run.mask)
        worker = self.workers[child.pid] = PoolWorker(child)
        self.log_worker_started(worker)
        if self._stopping:
            process.board.stop()
        if self._broken:
            child.end(signal.SIGKILL, self._broken)

    def frame(self, child: Child, kind: int, body: bytes) -> None:
        worker = self.workers[child.pid]
        if kind == RESULT:
            task, code, line = read_result(body)
            if task >= self._feed.submitted:
                raise FrameError(f"a result of task {task}, which was not submitted")
            worker.tasks += 1
            self._note(task, OUTCOMES[code], line, self._values_of(worker, task))
        elif kind == VALUES:
            self._values[worker.number] = read_values(body)
        elif kind == FINAL:
            self.finals.reported(worker, body, self._values.pop(worker.number, None))
        elif kind == GOODBYE:
            worker.said_goodbye = True
            worker.usage = read_fields(body)
        elif kind == UNREADY:
            self._give_up(self.log_unready(worker, read_fields(body)), NOT_SET_UP)
            self.end_all(signal.SIGKILL, NOT_SET_UP)

    def ended(self, child: Child, ending: Ending) -> None:
        worker = self.workers.pop(child.pid)
        # A finalizer holds no lock of the Pool's
        broke = worker.reason == "died" and not self.finals.is_at_work(worker)
        self.finals.ended(worker, ending, worker.tasks, self._stopping)
        self.log_worker_joined(worker, ending)
        if broke:
            self._lose_task_at_work(child, ending)
            why = f"the pool broke: worker {worker.number} (pid {child.pid}) {ending}"
            self._give_up("", why) if self._closing else self._give_up(why)
            self.end_all(signal.SIGKILL, "the pool broke")
        self.run.loop.call_soon(self._finish_when_empty)  # after the start of any that the Pool has just started

    # -- its tasks

    def _values_of(self, worker: PoolWorker, task: int) -> Values | None:
        """What `task` returned, from the last VALUES frame of `worker`."""
        values = self._values.pop(worker.number, None)
        return values if values is not None and values.first == task else None

    def _note(self, task: int, outcome: Outcome, line: bytes, values: Values | None) -> None:
        if self.ledger.book(task, outcome, line, values):
            if self.results is not None and self.results.error:
                self._give_up(not_stored(self.results.error), "the pool could not continue")
                self.end_all(signal.SIGKILL, "the pool could not continue")
            self._feed.done_one()
            self._close_when_done()

    def _lose_task_at_work(self, child: Child, ending: Ending) -> None:
        task = child.process.board.task
        if task is not None:
            if self.results is not None:
                self.results.files.discard(task, 1, child.pid)
            outcome, fields = end_without_result(child, ending)
            self.ledger.book_by_parent(task, outcome, {"worker": child.process.worker, "attempt": 1, **fields})

    def _settle_the_rest(self) -> None:
        """Give every task that has no result its outcome: a task that was declared is accounted for."""
        outcome: Outcome = "cancelled" if self._stopping else "lost"
        why = {"cancelled_by": self._stopping} if self._stopping else {"reason": self._broken}
        declared = self.step.source.count()
        for task in self.ledger.missing(self._feed.submitted if declared is None else declared):
            self.ledger.book_by_parent(task, outcome, {"attempt": 1, **why})

    def _finish_when_empty(self) -> None:
        if self._ended or self.workers or not (self._joined or self._abandoned):
            return
        self._ended = True
        if self._abandoned and self._pool is not None:
            clear_away(self._pool)
        self._pool = None  # it refers to this execution: without the cycle, its semaphores are freed now
        self._settle_the_rest()
        if self._feed.cut:
            self.error = self.error or "it was stopped before the end of its items"
        self.log_pool_joined(self.step.processes, self.supply.error)
        self._finished(self)


def _ahead(step: PoolStep) -> int:
    """How many items may be out at once: without bound where the Pool itself reads all of them, as `map` does."""
    if not step.call.startswith("imap"):
        return 0
    return max(64, 4 * step.processes * max(1, step.chunksize))


def chunksize_of(step: PoolStep, tasks: int) -> int:
    """How many of `tasks` the Pool gives to a worker at once; where it decides, four times to each."""
    if step.chunksize:
        return step.chunksize
    return 1 if step.call not in _READ_WHOLE else max(1, -(-tasks // (4 * step.processes)))


_READ_WHOLE = ("map", "starmap", "matrix", "zip")


def _context(start_method: str, make_process: Any) -> BaseContext:
    """A context of `multiprocessing` whose Processes are made by `make_process`."""
    # An attribute of the one object, not of a class: a class is a cycle, which would keep the Pool until a collection.
    context: Any = type(multiprocessing.get_context(start_method))()
    context.Process = make_process
    supervised: BaseContext = context
    return supervised
