"""One call of a process step: a `multiprocessing.Process` for each attempt."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from mprun.engines.child.child import Child, Ending
from mprun.engines.child.ends import end_without_result, result_line
from mprun.engines.child.watch import Watch
from mprun.engines.results.store import StepResults, not_stored
from mprun.engines.seam import Run
from mprun.log.words import OUTCOMES, Outcome
from mprun.plan.plan import ProcessStep
from mprun.plan.retrying import delay_after, may_retry
from mprun.system.loop import Timer
from mprun.worker.boot.process import CHILD_CLASSES
from mprun.worker.calls.step import ProcessWork, run_process
from mprun.worker.wire.frames import GOODBYE, RESULT, RETRY, VALUES, FrameError, read_fields, read_result, read_retry
from mprun.worker.wire.result_frames import Values, read_values


class ProcessCall:
    """Makes the call of `work`, and logs its starts, its result and its ends. `cell` has the event fields that
    identify a cell of its step (`task`, `cell`). `results` stores what the call returns, if the step stores results.

    Calls `ended(call)` once, when all its children are joined. By then `outcome` is known, and `error` says why a
    Process could not start. The caller takes the child's slot and gives it back.
    """

    def __init__(
        self,
        run: Run,
        step: ProcessStep,
        work: ProcessWork,
        cell: dict[str, Any],
        results: StepResults | None,
        ended: Callable[[ProcessCall], None],
    ) -> None:
        self.outcome: Outcome | None = None
        self.error = ""
        self._run = run
        self._step = step
        self._work = work
        self._cell = cell
        self._results = results
        self._values: Values | None = None  # from the last VALUES frame; the result they belong to comes next
        self._ended = ended
        self._attempt = 0
        self._child: Child | None = None
        self._watch: Watch | None = None
        self._retry_in: float | None = None  # seconds; set where this attempt will be retried
        self._next_attempt: Timer | None = None  # between two attempts
        self._stopping = ""  # why no further attempt is made
        self._usage: dict[str, Any] = {}
        self._began = 0.0

    def start(self) -> None:
        """Make the next attempt."""
        self._next_attempt = None
        self._attempt += 1
        self._began = time.monotonic()
        self._retry_in = None
        self._usage = {"cpu_time": None, "max_rss": None}
        process = CHILD_CLASSES[self._run.plan.start_method](
            target=run_process,
            args=(self._work, self._about()),
            name=f"{self._step.name}-{self._index}" if self._cell else self._step.name,
            daemon=self._step.daemon,
        )
        process.surroundings = self._step.surroundings
        process.unset = self._run.unset
        process.reports_stacks = self._step.limits.slow_after > 0
        try:
            self._run.sharing.equip(process, self._step)
            process.start()
        except (OSError, EOFError) as error:  # EOFError: from a fork server that has ended
            self.error = f"its process could not be started: {error}"
            self._note("lost", self._line("process.result", outcome="lost", reason=self.error))
            self._run.loop.call_soon(lambda: self._ended(self))
            return
        self._run.events.emit("process.started", **self._about(), pid=process.pid)
        self._child = Child(self._run.loop, process, self, self._run.mask)
        self._watch = Watch(self._run, self._step.limits, self._child, self._report_slow)

    def cancel(self, why: str) -> None:
        """Let the running attempt end; make no further one."""
        self._stopping = self._stopping or why
        if self._next_attempt is not None:
            self._next_attempt.cancel()
            self._next_attempt = None
            self._run.loop.call_soon(self._end_between_attempts)

    def end(self, number: int, why: str) -> None:
        self.cancel(why)
        if self._child is not None:
            self._child.end(number, why)

    def signal(self, number: int) -> None:
        if self._child is not None:
            self._child.signal(number)

    @property
    def has_begun(self) -> bool:
        """Whether the current attempt has started; False while a retry is due."""
        return self._next_attempt is None

    def frame(self, child: Child, kind: int, body: bytes) -> None:
        if kind == RESULT and not self._settled():
            _, code, line = read_result(body)
            self._note(OUTCOMES[code], line)
        elif kind == VALUES:
            self._values = self._its_own(read_values(body))
        elif kind == RETRY and not self._settled():
            _, self._retry_in, line = read_retry(body)
            self._run.events.emit_retry(self._step.name, self._index, line)
        elif kind == GOODBYE:
            self._usage = read_fields(body)

    def output(self, child: Child, stream: str, task: int | None, line: bytes) -> None:
        self._run.events.emit_output({**self._about(), "pid": child.pid}, stream, line)

    def suspended(self, child: Child, suspended: bool) -> None:
        event = "process.suspended" if suspended else "process.continued"
        self._run.events.emit(event, **self._about(), pid=child.pid)

    def ended(self, child: Child, ending: Ending) -> None:
        if self._watch is not None:
            self._watch.close()
            self._watch = None
        if not self._settled():
            self._log_end_without_result(child, ending)
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
            self._ended(self)
        elif self._stopping:
            self._end_between_attempts()
        else:
            self._next_attempt = self._run.loop.call_later(self._retry_in, self.start)

    def _end_between_attempts(self) -> None:
        """Don't make the retry that was due."""
        self._note("cancelled", self._line("process.result", outcome="cancelled", cancelled_by=self._stopping))
        self._ended(self)

    @property
    def _index(self) -> int:
        return self._cell.get("task", 0)  # type: ignore[no-any-return]

    def _settled(self) -> bool:
        """Whether the outcome of the current attempt is known."""
        return self.outcome is not None or self._retry_in is not None

    def _about(self) -> dict[str, Any]:
        return {"step": self._step.name, **self._cell, "attempt": self._attempt}

    def _line(self, event: str, **fields: Any) -> bytes:
        return result_line({"event": event, **self._about(), **fields})

    def _note(self, outcome: Outcome, line: bytes) -> None:
        self.outcome = outcome
        if self._results is not None:
            self._keep(self._results, outcome)
        self._run.events.emit_result(self._step.name, self._index, outcome, line)

    def _its_own(self, values: Values) -> Values:
        if (values.first, len(values.lengths)) != (self._index, 1):
            raise FrameError("values of tasks that it doesn't have")
        return values

    def _keep(self, results: StepResults, outcome: Outcome) -> None:
        if outcome == "returned" and self._values is not None:
            results.add(self._values)
        else:
            results.add_none(self._index)
        if results.error:
            self.error = not_stored(results.error)

    def _log_end_without_result(self, child: Child, ending: Ending) -> None:
        if self._results is not None:
            self._results.files.discard(self._index, self._attempt, child.pid)
        outcome, fields = end_without_result(child, ending)
        retries = self._step.limits.retries
        if not self._stopping and may_retry(retries, self._attempt, outcome):
            self._retry_in = delay_after(retries, self._attempt)
            line = self._line("process.retried", pid=child.pid, **fields, retry_in=round(self._retry_in, 6))
            self._run.events.emit_retry(self._step.name, self._index, line)
        else:
            self._note(outcome, self._line("process.result", pid=child.pid, **fields))

    def _report_slow(self, running_for: float, stack: str) -> None:
        self._run.events.emit(
            "process.slow", **self._about(), pid=self._child and self._child.pid, running_for=running_for, stack=stack
        )
