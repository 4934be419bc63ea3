"""A pool step on mprun's own workers: private pipes, no lock between processes, a death costs one task.

The parent sends batches to workers and books what they report. It replaces a worker that dies: the running task is
lost, and other workers get the tasks of its batch that had not started.
"""

from __future__ import annotations

import signal
import time
from typing import Any

from mprun.engines.child.child import Child, Ending
from mprun.engines.child.ends import end_without_result, retry_line
from mprun.engines.local.backlog import Backlog, Batch
from mprun.engines.local.limits import hold_to_limits, look_interval
from mprun.engines.local.sizing import Sizer
from mprun.engines.local.worker import LocalWorker
from mprun.engines.pool import PoolExecution
from mprun.engines.results.finals import SHORTEST
from mprun.engines.results.store import not_stored
from mprun.engines.seam import Finished, Run, Upcoming
from mprun.log.words import OUTCOMES, Outcome
from mprun.plan.plan import PoolStep
from mprun.plan.retrying import delay_after, may_retry
from mprun.system.loop import Timer
from mprun.worker.calls.serve import serve
from mprun.worker.wire import frames
from mprun.worker.wire.frames import FrameError
from mprun.worker.wire.result_frames import Values, read_values

LOOK_INTERVAL = 0.05  # seconds between two looks into a silent worker's shared memory for finished tasks
COUNT_INTERVAL = 1.0  # seconds between two lines about tasks that have no line of their own
MOST_EARLY_DEATHS = 5  # workers in a row that die before they start a task; then the pool gives up
MOST_DEATHS = 100  # workers in a row that die while no task finishes; then it gives up, too


class LocalPoolExecution(PoolExecution[LocalWorker]):
    """Runs one pool step."""

    def __init__(self, run: Run, step: PoolStep, finished: Finished) -> None:
        super().__init__(run, step)
        self._finished = finished
        self._backlog = Backlog(self.supply)
        self._sizer = Sizer(step.processes, step.chunksize)
        self._stopping = ""  # why no further task starts
        self._closing = False
        self._deaths = 0  # of workers in a row, since one last reported a task
        self._early_deaths = 0  # of workers in a row that had started no task
        self._advance_is_due = False
        self._retries_due = 0  # tasks that wait for a retry
        self._slots = 0  # taken and not given back
        self._counted_logged = time.monotonic()
        self._look: Timer | None = None
        self._ended = False

    # -- what a run asks of an execution

    def ready(self) -> bool:
        """One slot is enough to start; more workers start as slots become free."""
        self._slots += self.run.slots.take()
        return self._slots > 0

    def slot_freed(self) -> None:
        self._advance_soon()

    def start(self) -> None:
        self.log_pool_started()
        self._look_again()
        try:
            self.get_ready()
            self._backlog.reuse_filter = self.reuse_filter()
            if self.results is not None:
                self.results.consumers.on_room = self._advance_soon
            self.supply.begin(self._advance_soon)
        except OSError as error:
            self._give_up(not_stored(error))
        self._advance_soon()

    def cancel(self, why: str) -> None:
        self._stopping = self._stopping or why
        self._backlog.drop(self._stopping)
        for worker in self.workers.values():
            worker.board.stop()
        self._advance_soon()

    def end(self, number: int, why: str) -> None:
        self.cancel(why)
        self.end_all(number, why)
        self.supply.end(number, why)

    def signal(self, number: int) -> None:
        super().signal(number)
        self.supply.signal(number)

    def upcoming(self) -> Upcoming | None:
        if self._backlog.empty and not (self._retries_due and not self._stopping):
            return None
        return Upcoming(self._fed_by(), needs_room=self._slots <= len(self.workers))

    def is_idle(self, pid: int) -> bool:
        return pid in self.workers and self.workers[pid].is_idle

    def _fed_by(self) -> frozenset[str]:
        if self._retries_due:
            return frozenset()
        behind = () if self.results is None else self.results.consumers.far_behind
        return frozenset(behind or filter(None, [self.supply.fed_by]))

    # -- who gets what

    def _advance_soon(self) -> None:
        if not self._advance_is_due:
            self._advance_is_due = True
            self.run.loop.call_soon(self._advance)

    def _advance(self) -> None:
        """Do whatever is possible now: start workers, send them tasks, or close the pool."""
        self._advance_is_due = False
        if self._ended:
            return
        if self._backlog.look_ahead():
            self._check_stored()
            self._advance_soon()
            return
        if not self._nothing_left():
            self._start_workers()
            for worker in list(self.workers.values()):
                if worker.takes_more:
                    self._give(worker)
        if self._nothing_left():
            self._close()
            if not self.workers and self.supply.gone:
                self._finish()

    def _nothing_left(self) -> bool:
        idle = not any(worker.batches for worker in self.workers.values())
        waits = self._retries_due and not self._stopping
        return self._backlog.empty and not waits and idle

    def _start_workers(self) -> None:
        left = self._backlog.left
        wanted = self.step.processes if left is None else min(self.step.processes, left + self._at_work())
        while len(self.workers) < wanted and not self._stopping and self._has_slot():
            if not self._start_worker():
                break

    def _has_slot(self) -> bool:
        if self._slots <= len(self.workers):
            self._slots += self.run.slots.take()
        return self._slots > len(self.workers)

    def _at_work(self) -> int:
        return sum(bool(worker.batches) for worker in self.workers.values())

    def _start_worker(self) -> bool:
        process = self.make_process(target=serve, args=(self.work(),), daemon=True)
        process.name = f"{self.step.name}-{process.worker}"
        process.takes_tasks = True
        process.reports_stacks = self.step.limits.slow_after > 0
        process.has_result_memory = self.results is not None
        try:
            self.run.sharing.equip(process, self.step)
            process.start()
        except (OSError, EOFError) as error:  # EOFError: from a fork server that has ended
            if not self.workers:
                self._give_up(f"its workers could not be started: {error}")
            return False
        child = Child(self.run.loop, process, self, self.run.mask)
        worker = self.workers[child.pid] = LocalWorker(self.run.loop, child)
        self.log_worker_started(worker)
        return True

    def _give(self, worker: LocalWorker) -> None:
        """Send `worker` a batch if it has none, and one ahead if it will soon have none."""
        most = 2 if self._sizer.wants_ahead else 1
        while len(worker.batches) < most:
            size = self._sizer.next(self._backlog.left)
            if self.step.maxtasksperchild:
                size = min(size, self.step.maxtasksperchild - worker.given)
            batch = self._backlog.take(size, only_retries=self._held_back()) if size else None
            if batch is None:
                if not size and not worker.batches:
                    worker.close_tasks()
                elif self._backlog.all_reused:
                    self._advance_soon()
                return
            self._send_batch(worker, batch)

    def _held_back(self) -> bool:
        """Whether the consumers of the results are too far behind for new tasks."""
        return self.results is not None and self.results.consumers.hold_back()

    def _send_batch(self, worker: LocalWorker, batch: Batch) -> None:
        frame = frames.batch_frame(batch.first, batch.attempt, time.monotonic_ns(), batch.items)
        self._sizer.pickled(len(batch.items), len(frame))
        worker.give(batch, frame)

    # -- what workers report

    def frame(self, child: Child, kind: int, body: bytes) -> None:
        worker = self.workers[child.pid]
        worker.heard = time.monotonic()
        match kind:
            case frames.RUN:
                first, took, lines = frames.read_run(body)
                self._sizer.measured(len(lines), took / 1e9)
                self._book_run(worker, first, lines, worker.values_of(first, len(lines)))
            case frames.COUNTED:
                first, took, count = frames.read_counted(body)
                self._sizer.measured(count, took / 1e9)
                self._book_count(worker, first, count, worker.values_of(first, count))
            case frames.VALUES:
                worker.values = read_values(body)
            case frames.RESULT:
                self._book_failure(worker, *frames.read_result(body))
            case frames.RETRY:
                self._book_retry(worker, *frames.read_retry(body))
            case frames.DROPPED:
                self._take_back_all(worker)
            case frames.FINAL:
                self.finals.reported(worker, body, worker.take_values())
            case frames.GOODBYE:
                worker.said_goodbye = True
                worker.usage = frames.read_fields(body)
            case frames.UNREADY:
                self._give_up(self.log_unready(worker, frames.read_fields(body)))
        self._advance_one(worker)

    def _advance_one(self, worker: LocalWorker) -> None:
        """After a frame from `worker`: send it more, or check whether that was the pool's last task."""
        if self._backlog.empty:
            if not worker.batches:
                self._advance()
        elif worker.takes_more and not self._stopping:
            self._give(worker)
            if self._backlog.empty and not worker.batches:  # the items that seemed to be left were failed results
                self._advance()

    def _check(self, worker: LocalWorker, first: int, end: int) -> None:
        """Refuse a report of tasks that `worker` doesn't have. (It may repeat what the board has already shown.)"""
        if self.ledger.has_all(first, end):
            return
        self._deaths = self._early_deaths = 0  # the pool makes progress, whatever died before
        if not worker.may_report(first, end):
            raise FrameError(f"results of tasks {first} to {end - 1}, which it doesn't have")

    def _book_run(self, worker: LocalWorker, first: int, lines: list[bytes], values: Values | None) -> None:
        self._check(worker, first, first + len(lines))
        worker.ended_before(self.ledger.book_run(first, lines, values))
        self._check_stored()

    def _book_count(self, worker: LocalWorker, first: int, count: int, values: Values | None) -> None:
        self._check(worker, first, first + count)
        worker.ended_before(self.ledger.book_count(first, count, values))
        self._check_stored()

    def _check_stored(self) -> None:
        if self.results is not None and self.results.error and not self._stopping:
            self._give_up(not_stored(self.results.error))

    def _book_failure(self, worker: LocalWorker, task: int, code: int, line: bytes) -> None:
        self._check(worker, task, task + 1)
        if worker.child.verdict == "timed_out":
            self._settle_attempt(worker, task, "timed_out", {"outcome": "timed_out", "reason": worker.child.stopped_by})
        else:
            self.ledger.book(task, OUTCOMES[code], line)
            worker.ended_before(task + 1)

    def _book_retry(self, worker: LocalWorker, task: int, delay: float, line: bytes) -> None:
        self._check(worker, task, task + 1)
        self.run.events.emit_retry(self.step.name, task, line)
        self._retry_later(worker, task, delay)

    def _retry_later(self, worker: LocalWorker, task: int, delay: float) -> None:
        batch = worker.batches[0]
        again = Batch(task, batch.attempt + 1, [batch.items[task - batch.first]])
        worker.ended_before(task + 1)
        self._retries_due += 1
        self.run.loop.call_later(delay, lambda: self._retry(again))

    def _retry(self, again: Batch) -> None:
        self._retries_due -= 1
        if not self._stopping:
            self._backlog.give_back(again)
        self._advance()

    def _look_again(self) -> None:
        interval = look_interval(self.step, LOOK_INTERVAL)
        self._look = self.run.loop.call_later(interval, self._look_at_workers)

    def _look_at_workers(self) -> None:
        """Book what workers have finished but can't send while they run a long task; hold all to their limits."""
        now = time.monotonic()
        for worker in list(self.workers.values()):
            if worker.batches and worker.heard < now - LOOK_INTERVAL:
                self._book_from_board(worker)
            hold_to_limits(self.run, self.step, worker)
            self.finals.end_overdue(worker)
        if now - self._counted_logged >= COUNT_INTERVAL:
            self._counted_logged = now
            self.ledger.log_counted()
        self._look_again()

    def _book_from_board(self, worker: LocalWorker) -> None:
        """Book what the worker's board shows, unless frames that we haven't read yet will report it."""
        if self.run.plan.log_tasks == "all":
            kept, values = worker.board_lines()
            if kept is not None and worker.continues(kept[0], kept[0] + len(kept[1])):
                self._book_run(worker, *kept, values)
        else:
            counted, values = worker.kept_count()
            if counted is not None and worker.continues(counted[0], sum(counted)):
                self._book_count(worker, *counted, values)

    # -- how workers end

    def ended(self, child: Child, ending: Ending) -> None:
        worker = self.workers.pop(child.pid)
        # Every frame was read before this. What the board still shows was finished, but not sent. So it is booked
        # first, and only the task that the board names as running is lost.
        worker.gone()
        self._book_from_board(worker)
        done = worker.tasks
        if ending.fault:
            self._lose_all(worker, ending)
        else:
            self._book_task_at_work(worker, ending)
        was_idle = worker.is_idle
        self._take_back_all(worker)
        self.finals.ended(worker, ending, done, self._stopping)
        self.log_worker_joined(worker, ending)
        self._give_back_slots()
        if worker.reason == "died" and not was_idle:
            self._count_death(worker, ending)
        self._advance()

    def _count_death(self, worker: LocalWorker, ending: Ending) -> None:
        """Count the death of a worker that was at work, and give up where nothing else happens.

        Workers that die before their first task would be replaced forever. A task that kills its worker is lost, so
        that ends; but a pool whose every task does so is broken. The death of an idle worker shows neither.
        """
        self._deaths += 1
        self._early_deaths = 0 if worker.tasks else self._early_deaths + 1
        if self._early_deaths == MOST_EARLY_DEATHS or self._deaths == MOST_DEATHS:
            when = "before they begin a task" if self._early_deaths else "without finishing anything"
            self._give_up(f"its workers die {when}: the last {ending}")

    def _give_back_slots(self) -> None:
        """Give back unused slots, except one while the pool runs: the run has promised it."""
        spare = self._slots - max(1, len(self.workers))
        if spare > 0 and self._backlog.empty:
            self._slots -= spare
            self.run.slots.give_back(spare)

    def _book_task_at_work(self, worker: LocalWorker, ending: Ending) -> None:
        task = worker.board.task
        if task is not None and worker.is_at(task) and not self.ledger.has(task):
            self._settle_attempt(worker, task, *end_without_result(worker.child, ending))

    def _lose_all(self, worker: LocalWorker, ending: Ending) -> None:
        """Settle all tasks that a worker with corrupt frames may have started: up to the one that its board names."""
        at, task = worker.board.task, None
        while worker.batches and (at is None or task != at):
            task = worker.batches[0].first + worker.batches[0].done
            self._settle_attempt(worker, task, *end_without_result(worker.child, ending))

    def _settle_attempt(self, worker: LocalWorker, task: int, outcome: Outcome, fields: dict[str, Any]) -> None:
        """Retry a task whose end the worker could not report, or book its outcome."""
        attempt, retries = worker.batches[0].attempt, self.step.limits.retries
        if self.results is not None:
            self.results.files.discard(task, attempt, worker.child.pid)
        about = {"step": self.step.name, "worker": worker.number, "task": task, "attempt": attempt}
        if not self._stopping and may_retry(retries, attempt, outcome):
            delay = delay_after(retries, attempt)
            self.run.events.emit_retry(self.step.name, task, retry_line("task.retried", about, fields, delay))
            self._retry_later(worker, task, delay)
        else:
            self.ledger.book_by_parent(task, outcome, about | fields)
            worker.ended_before(task + 1)

    def _take_back_all(self, worker: LocalWorker) -> None:
        """Return the tasks that `worker` has not started to the backlog; that counts as no attempt."""
        while worker.batches:
            batch = worker.batches.pop()
            if not self._stopping:
                self._backlog.give_back(batch.rest(batch.first + batch.done))

    # -- the end

    def _give_up(self, error: str) -> None:
        self.error = self.error or error
        self.cancel("the pool could not continue")
        self.end_all(signal.SIGKILL, self._stopping)

    def _close(self) -> None:
        for worker in self.workers.values():
            worker.close_tasks()
        if not self._closing:
            self._closing = True
            self.run.loop.call_later(self.run.plan.grace_period, self._end_stragglers)

    def _end_stragglers(self) -> None:
        """End workers that stay. One inside its finalizer has a limit of its own."""
        staying = [worker for worker in self.workers.values() if not self.finals.is_at_work(worker)]
        for worker in staying:
            worker.child.end(signal.SIGKILL, "it stayed after the pool's end")
        if len(staying) < len(self.workers):
            self.run.loop.call_later(max(SHORTEST, self.run.plan.grace_period), self._end_stragglers)

    def _finish(self) -> None:
        self._ended = True
        if self._look is not None:
            self._look.cancel()
        self._settle_the_rest()
        self.ledger.log_counted()
        self.log_pool_joined(self._slots, self.supply.error)
        self._finished(self)

    def _settle_the_rest(self) -> None:
        """Book every declared or read task without an outcome as cancelled: it never started."""
        declared = self.step.source.count()
        if declared is None and self._backlog.cut:
            self.error = self.error or "it was stopped before the end of its items"
        for task in self.ledger.missing(self._backlog.taken if declared is None else declared):
            self.ledger.book_by_parent(task, "cancelled", {"cancelled_by": self._stopping, "attempt": 1})
