"""Watches one child that makes one call: its time, its memory, its slowness."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

from mprun.engines.child.child import Child
from mprun.engines.seam import Run
from mprun.plan.plan import Limits
from mprun.system.loop import Timer
from mprun.system.machine import resident_memory
from mprun.worker.boot import stacks

MEMORY_INTERVAL = 0.05  # seconds between two looks at a child's memory
STACK_TIME = 0.1  # seconds that a child has to write its stacks

ReportSlow = Callable[[float, str], None]


class Watch:
    """Ends the child when it exceeds one of `limits`; calls `report_slow(seconds, stack)` once when it is slow."""

    def __init__(self, run: Run, limits: Limits, child: Child, report_slow: ReportSlow) -> None:
        self._run = run
        self._limits = limits
        self._child = child
        self._report_slow = report_slow
        self._began = time.monotonic()
        self._timers: list[Timer] = []
        if limits.timeout:
            self._timers.append(run.loop.call_later(limits.timeout, self._time_out))
        if limits.slow_after:
            self._timers.append(run.loop.call_later(limits.slow_after, self._slow))
        if limits.max_memory:
            self._memory = run.loop.call_later(MEMORY_INTERVAL, self._look_at_memory)
            self._timers.append(self._memory)

    def close(self) -> None:
        for timer in self._timers:
            timer.cancel()

    def _time_out(self) -> None:
        self._child.terminate(self._run.plan.grace_period, timeout_reason(self._limits), "timed_out")

    def _look_at_memory(self) -> None:
        end_if_too_large(self._child, self._limits)
        self._timers.append(self._run.loop.call_later(MEMORY_INTERVAL, self._look_at_memory))

    def _slow(self) -> None:
        at_work = self._child.process.board.at_work()
        running_for = (time.monotonic_ns() - at_work[1]) / 1e9 if at_work else 0.0
        if running_for < self._limits.slow_after:  # it booted late, or still boots and can't answer
            left = self._limits.slow_after - running_for
            self._timers.append(self._run.loop.call_later(left, self._slow))
            return
        ask_for_stack(self._child)
        self._timers.append(self._run.loop.call_later(STACK_TIME, self._report))

    def _report(self) -> None:
        self._report_slow(round(time.monotonic() - self._began, 6), stack_of(self._child))


def timeout_reason(limits: Limits) -> str:
    return f"it took longer than its timeout of {limits.timeout:g} s"


def end_if_too_large(child: Child, limits: Limits) -> None:
    """Kill `child` when it holds more memory than its limit: its call is lost, for that reason."""
    if resident_memory(child.pid) > limits.max_memory:
        child.end(signal.SIGKILL, f"it used more than its max_memory of {limits.max_memory:,} bytes", "lost")


def ask_for_stack(child: Child) -> None:
    if child.alive:
        os.kill(child.pid, stacks.SIGNAL)


def stack_of(child: Child) -> str:
    """The stacks that the child has written since it was asked."""
    return child.process.stacks.new() if child.process.stacks is not None else ""
