"""Ends a run before its time: drain, then terminate, then kill. A second request skips the wait.

- draining: nothing new starts; running calls may end within the grace period
- terminating: every child's process group gets SIGTERM
- killing: every child's process group gets SIGKILL
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mprun.engines.results.store import Store
from mprun.engines.seam import Run
from mprun.log.words import Outcome
from mprun.plan.plan import Plan, when
from mprun.running.scheduler import Scheduler
from mprun.system.loop import Timer

Phase = Literal["", "draining", "terminating", "killing"]

KILL_DELAY = 2.0  # seconds from SIGTERM to SIGKILL; the grace period if that is shorter


@dataclass(slots=True)
class Requests:
    """The signals that asked for an end so far: the first one (0 for none), and their number."""

    signal: int = 0
    count: int = 0


class Stopper:
    """Stops everything that one stage runs.

    The steps around a run are not `patient`: a first request stops the run, which they clean up after, so they
    continue. A second request ends them too.
    """

    def __init__(self, run: Run, scheduler: Scheduler, requests: Requests, *, patient: bool = True) -> None:
        self.phase: Phase = ""
        self._run = run
        self._scheduler = scheduler
        self._requests = requests
        self._patient = patient
        self._why = ""
        self._timer: Timer | None = None

    def on_signal(self, number: int) -> None:
        """Take a signal that asks for an end: the first one drains, the second terminates, the third kills."""
        name = signal.Signals(number).name
        self._run.events.emit("signal.received", signal=name)
        self._requests.signal = self._requests.signal or number
        self._requests.count += 1
        match self.phase:
            case "" if self._patient:
                self.drain(name)
            case "":
                self._end_around(name)
            case "draining":
                self._terminate()
            case _:
                self._kill()

    def _end_around(self, why: str) -> None:
        """End the steps around the run, but not before a second request."""
        if self._requests.count > 1:
            self._begin_stop(why)
            self._why = why
            self._terminate()

    def fail_fast(self, step: str) -> None:
        """End the run after its first failure: running calls may end, nothing new starts."""
        if not self.phase:
            self.drain(f"fail_fast: `{step}` failed")

    def time_out(self) -> None:
        """End a run that exceeds its timeout."""
        if self.phase in ("", "draining"):
            why = f"the run's timeout of {self._run.plan.timeout:g} s"
            self._begin_stop(why)
            self._why = why
            self._terminate()

    def drain(self, why: str) -> None:
        """Start nothing new, and terminate what still runs after the grace period."""
        self._enter("draining", why)
        self._begin_stop(why)
        self._next(self._run.plan.grace_period, self._terminate)

    def _begin_stop(self, why: str) -> None:
        """Let no further step or task begin."""
        self._scheduler.stopping = why
        for execution in list(self._scheduler.at_work.values()):
            execution.cancel(why)
        self._scheduler.advance()

    def stop_daemons(self, why: str) -> None:
        """End the daemons that remain when all ordinary steps are done."""
        if self.phase in ("", "draining"):
            self._why = self._why or why
            self._terminate()

    def close(self) -> None:
        """Cancel the timer: everything that it could stop has ended."""
        if self._timer is not None:
            self._timer.cancel()

    def kill_all(self, why: str) -> None:
        self._why = why
        self._signal_all(signal.SIGKILL)

    def _terminate(self) -> None:
        self._enter("terminating", self._why)
        self._signal_all(signal.SIGTERM)
        self._next(min(KILL_DELAY, self._run.plan.grace_period), self._kill)

    def _kill(self) -> None:
        self._enter("killing", self._why)
        self._signal_all(signal.SIGKILL)
        # A child that was starting when the signals went out is found in the next round.
        self._next(0.1, self._kill_again)

    def _kill_again(self) -> None:
        self._signal_all(signal.SIGKILL)
        self._next(0.1, self._kill_again)

    def _enter(self, phase: Phase, why: str) -> None:
        self.phase = phase
        self._why = why
        self._run.events.emit("stop.requested", phase=phase, why=why)

    def _signal_all(self, number: int) -> None:
        for execution in list(self._scheduler.at_work.values()):
            execution.end(number, self._why)

    def _next(self, delay: float, step: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._run.loop.call_later(delay, step)


class FailFast:
    """A sink that calls `stop(step)` when a task or a step fails that may not fail.

    Failures of the steps around the run are ignored. `store` knows which steps could not save their results, which no
    step may fail to do.
    """

    def __init__(self, plan: Plan, stop: Callable[[str], None], store: Store) -> None:
        self._may_fail = {step.name for step in plan.steps if step.limits.continue_on_error or when(step)}
        self._around = {step.name for step in plan.steps if when(step)}
        self._stop = stop
        self._store = store

    def event(self, event: Mapping[str, Any]) -> None:
        if event["event"] == "step.finished" and event["outcome"] == "failed":
            self._step_failed(event["step"])

    def result(self, step: str, task: int, outcome: Outcome, line: bytes) -> None:
        if outcome not in ("returned", "cancelled"):
            self._failed(step)

    def run(self, step: str, first: int, lines: list[bytes]) -> None:
        """Ignored: these returned."""

    def count(self, step: str, tasks: int) -> None:
        """Ignored: these returned."""

    def output(self, fields: Mapping[str, Any], stream: str, line: bytes) -> None:
        """Ignored: output says nothing about success."""

    def tick(self) -> None:
        """Ignored: there is no clock to draw."""

    def _step_failed(self, step: str) -> None:
        results = self._store.of(step)
        if results is not None and results.save_failed and step not in self._around:
            self._stop(step)
        else:
            self._failed(step)

    def _failed(self, step: str) -> None:
        if step not in self._may_fail:
            self._stop(step)
