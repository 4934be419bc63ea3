"""A process step: one `multiprocessing.Process` for each attempt."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from mprun.engines.child import Child, Ending
from mprun.engines.results import end_without_result, result_line
from mprun.engines.run import Finished, Run
from mprun.engines.scoping import scope_for
from mprun.engines.store import StepResults, not_kept
from mprun.engines.watch import Watch
from mprun.events import OUTCOMES, Outcome
from mprun.plan import ProcessStep
from mprun.retrying import delay_after, may_retry
from mprun.scope import Scope
from mprun.worker.frames import (
    AGAIN,
    GOODBYE,
    RESULT,
    VALUES,
    read_again,
    read_fields,
    read_result,
)
from mprun.worker.kept import Values, read_values
from mprun.worker.process import CHILD_CLASSES
from mprun.worker.step import run_process


class ProcessExecution:
    """Starts the step's Process, and tells its start, its result and its end; and again, while retries allow it."""

    def __init__(self, run: Run, step: ProcessStep, finished: Finished) -> None:
        self.step = step
        self.outcomes: Counter[str] = Counter()
        self.error = ""
        self._run = run
        self._finished = finished
        self._attempt = 0
        self._child: Child | None = None
        self._watch: Watch | None = None
        self._retry_in: float | None = None  # seconds, where the attempt at work is to be followed by another one
        self._stopping = ""  # why no further attempt is made
        self._usage: dict[str, Any] = {}
        self._began = 0.0
        self._scope: Scope | None = None
        self._results: StepResults | None = None
        self._values: Values | None = None  # told, and waiting for the result that they belong to

    def ready(self) -> bool:
        return self._run.slots.take()

    def more_room(self) -> None:
        """A process needs one slot, which it has."""

    def start(self) -> None:
        step, plan = self.step, self._run.plan
        if self._stopping:  # between two attempts
            self._note("cancelled", self._line("process.result", outcome="cancelled", cancelled_by=self._stopping))
            self._finish()
            return
        if not self._attempt and not self._is_ready():
            return
        self._attempt += 1
        self._began = time.monotonic()
        self._retry_in = None
        self._usage = {"cpu_time": None, "max_rss": None}
        process = CHILD_CLASSES[plan.start_method](
            target=run_process,
            args=(
                step.target,
                step.args,
                step.kwargs,
                self._about(),
                step.limits.retries,
                step.converts,
                self._scope,
                None if self._results is None else self._results.files,
            ),
            name=step.name,
            daemon=step.daemon,
        )
        process.surroundings = step.surroundings
        process.unset = self._run.unset
        process.reports_stacks = step.limits.slow_after > 0
        try:
            process.start()
        except (OSError, EOFError) as error:  # EOFError: from a fork server that has ended
            self._fail_to_start(f"its process could not be started: {error}")
            return
        self._run.events.emit("process.started", **self._about(), pid=process.pid)
        self._child = Child(self._run.loop, process, self)
        self._watch = Watch(self._run, step.limits, self._child, self._tell_slow)

    def _is_ready(self) -> bool:
        """Gather what its references stand for and open what its result goes to; False where that fails."""
        try:
            self._scope = scope_for(self._run, (self.step.args, self.step.kwargs))
            if self.step.keeps:
                self._results = self._run.store.open(self.step)
        except OSError as error:
            self._attempt = 1
            self._fail_to_start(not_kept(error))
            return False
        return True

    def _fail_to_start(self, error: str) -> None:
        self.error = error
        self._note("lost", self._line("process.result", outcome="lost", reason=error))
        self._run.loop.call_soon(self._finish)

    def cancel(self, why: str) -> None:
        """What has begun goes on; no further attempt follows it."""
        self._stopping = self._stopping or why

    def end(self, number: int, why: str) -> None:
        self.cancel(why)
        if self._child is not None:
            self._child.end(number, why)

    def signal(self, number: int) -> None:
        if self._child is not None:
            self._child.signal(number)

    def frame(self, child: Child, kind: int, body: bytes) -> None:
        if kind == RESULT and not self._settled():
            _, code, line = read_result(body)
            self._note(OUTCOMES[code], line)
        elif kind == VALUES:
            self._values = read_values(body)
        elif kind == AGAIN and not self._settled():
            _, self._retry_in, line = read_again(body)
            self._run.events.emit_retry(self.step.name, 0, line)
        elif kind == GOODBYE:
            self._usage = read_fields(body)

    def output(self, child: Child, stream: str, task: int | None, line: bytes) -> None:
        self._run.events.emit_output({"step": self.step.name, "pid": child.pid}, stream, line)

    def suspended(self, child: Child, suspended: bool) -> None:
        event = "process.suspended" if suspended else "process.continued"
        self._run.events.emit(event, **self._about(), pid=child.pid)

    def ended(self, child: Child, ending: Ending) -> None:
        if self._watch is not None:
            self._watch.close()
        if not self._settled():
            self._tell_end_without_result(child, ending)
        self._run.events.emit(
            "process.joined",
            **self._about(),
            pid=child.pid,
            exitcode=ending.exitcode,
            signal=ending.signal_name or None,
            duration=round(time.monotonic() - self._began, 6),
            **self._usage,
        )
        self._child = None
        if self._retry_in is None:
            self._finish()
        else:
            self._run.loop.call_later(self._retry_in, self.start)

    def _finish(self) -> None:
        self._run.slots.give_back()
        self._finished(self)

    def _settled(self) -> bool:
        """Whether it is known what became of the attempt at work."""
        return bool(self.outcomes) or self._retry_in is not None

    def _about(self) -> dict[str, Any]:
        return {"step": self.step.name, "attempt": self._attempt}

    def _line(self, event: str, **fields: Any) -> bytes:
        return result_line({"event": event, **self._about(), **fields})

    def _note(self, outcome: Outcome, line: bytes) -> None:
        self.outcomes[outcome] += 1
        if self._results is not None:
            self._keep(self._results, outcome)
        self._run.events.emit_result(self.step.name, 0, outcome, line)

    def _keep(self, results: StepResults, outcome: Outcome) -> None:
        if outcome == "returned" and self._values is not None:
            results.add(self._values)
        else:
            results.add_none(0)
        if results.error:
            self.error = not_kept(results.error)

    def _tell_end_without_result(self, child: Child, ending: Ending) -> None:
        if self._results is not None:
            self._results.files.discard(0, self._attempt, child.pid)
        outcome, fields = end_without_result(child, ending)
        retries = self.step.limits.retries
        if not self._stopping and may_retry(retries, self._attempt, outcome):
            self._retry_in = delay_after(retries, self._attempt)
            line = self._line("process.retried", pid=child.pid, **fields, retry_in=round(self._retry_in, 6))
            self._run.events.emit_retry(self.step.name, 0, line)
        else:
            self._note(outcome, self._line("process.result", pid=child.pid, **fields))

    def _tell_slow(self, running_for: float, stack: str) -> None:
        self._run.events.emit(
            "process.slow", **self._about(), pid=self._child and self._child.pid, running_for=running_for, stack=stack
        )
