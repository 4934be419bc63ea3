"""Applies a step's limits to the workers of a local pool: time of a task, memory of a worker, slowness."""

from __future__ import annotations

import signal
import time

from mprun.engines.child.watch import STACK_TIME, ask_for_stack, end_if_too_large, stack_of, timeout_reason
from mprun.engines.local.worker import LocalWorker
from mprun.engines.seam import Run
from mprun.plan.plan import PoolStep

SHORTEST = 0.002  # the shortest time between two checks in seconds


def look_interval(step: PoolStep, most: float) -> float:
    """Return the seconds between two checks: few enough that no limit is exceeded by more than a fifth."""
    times = [limit / 5 for limit in (step.limits.timeout, step.limits.slow_after) if limit]
    return max(SHORTEST, min([most, *times]))


def hold_to_limits(run: Run, step: PoolStep, worker: LocalWorker) -> None:
    """End `worker`, or report it as slow, if it exceeds a limit."""
    limits = step.limits
    if limits.max_memory:
        end_if_too_large(worker.child, limits)
    if worker.child.suspended and worker.batches and not (step.finalizer and worker.tasks):
        _end_if_between_tasks(worker)
    at_work = worker.board.at_work() if limits.timeout or limits.slow_after else None
    if at_work is None or not worker.is_at(at_work[0]):
        return
    running_for = (time.monotonic_ns() - at_work[1]) / 1e9
    if limits.timeout and running_for > limits.timeout:
        if worker.stays_so(lambda: worker.board.at_work() == at_work):  # the signal must not hit the next task
            worker.child.terminate(run.plan.grace_period, timeout_reason(limits), "timed_out")
    elif limits.slow_after and running_for > limits.slow_after and worker.slow != at_work:
        worker.slow = at_work
        ask_for_stack(worker.child)
        run.loop.call_later(STACK_TIME, lambda: _report_slow(run, step, worker, at_work[0], running_for))


def _end_if_between_tasks(worker: LocalWorker) -> None:
    """Kill a suspended worker that runs no task. That costs nothing, because other workers get its tasks.

    It is left alone while it runs a task, or if it has gathered something for its finalizer.
    """
    if worker.stays_so(lambda: not worker.at_a_task):
        worker.child.end(signal.SIGKILL, "a signal had stopped it between two tasks", "lost")


def _report_slow(run: Run, step: PoolStep, worker: LocalWorker, task: int, running_for: float) -> None:
    if worker.child.alive:
        run.events.emit(
            "task.slow",
            step=step.name,
            worker=worker.number,
            pid=worker.child.pid,
            task=task,
            running_for=round(running_for, 6),
            stack=stack_of(worker.child),
        )
