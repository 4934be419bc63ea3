"""A process step: one `multiprocessing.Process`."""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import Any

from mprun.engines.child import Child, Ending
from mprun.engines.results import end_without_result, result_line
from mprun.engines.run import Finished, Run
from mprun.events import OUTCOMES, Outcome
from mprun.plan import ProcessStep
from mprun.worker.frames import GOODBYE, RESULT, read_result
from mprun.worker.process import CHILD_CLASSES
from mprun.worker.step import run_process


class ProcessExecution:
    """Starts the step's Process, and tells its start, its result and its end."""

    def __init__(self, run: Run, step: ProcessStep, finished: Finished) -> None:
        self.step = step
        self.outcomes: Counter[str] = Counter()
        self.error = ""
        self._run = run
        self._finished = finished
        self._child: Child | None = None
        self._usage: dict[str, Any] = {"cpu_time": None, "max_rss": None}
        self._began = time.monotonic()

    def start(self) -> None:
        step, plan = self.step, self._run.plan
        about = {"event": "process.result", "step": step.name, "attempt": 1}
        process = CHILD_CLASSES[plan.start_method](
            target=run_process, args=(step.target, step.args, step.kwargs, about), name=step.name, daemon=step.daemon
        )
        process.surroundings = plan.surroundings
        process.unset = self._run.unset
        try:
            process.start()
        except OSError as error:
            self.error = f"its process could not be started: {error}"
            self._run.loop.call_soon(lambda: self._finished(self))
            return
        self._run.events.emit("process.started", step=step.name, pid=process.pid)
        self._child = Child(self._run.loop, process, self)

    def cancel(self, why: str) -> None:
        """A process has begun as soon as it is started: nothing is left to hold back."""

    def end(self, number: int, why: str) -> None:
        if self._child is not None:
            self._child.end(number, why)

    def signal(self, number: int) -> None:
        if self._child is not None:
            self._child.signal(number)

    def frame(self, child: Child, kind: int, body: bytes) -> None:
        if kind == RESULT and not self.outcomes:
            _, code, line = read_result(body)
            self._note(OUTCOMES[code], line)
        elif kind == GOODBYE:
            self._usage = json.loads(body)

    def output(self, child: Child, stream: str, task: int | None, line: bytes) -> None:
        self._run.events.emit_output({"step": self.step.name, "pid": child.pid}, stream, line)

    def ended(self, child: Child, ending: Ending) -> None:
        if not self.outcomes:
            self._tell_end_without_result(child, ending)
        self._run.events.emit(
            "process.joined",
            step=self.step.name,
            pid=child.pid,
            exitcode=ending.exitcode,
            signal=ending.signal_name or None,
            duration=round(time.monotonic() - self._began, 6),
            **self._usage,
        )
        self._finished(self)

    def _note(self, outcome: Outcome, line: bytes) -> None:
        self.outcomes[outcome] += 1
        self._run.events.emit_result(self.step.name, 0, outcome, line)

    def _tell_end_without_result(self, child: Child, ending: Ending) -> None:
        outcome, fields = end_without_result(child, ending)
        about = {"event": "process.result", "step": self.step.name, "attempt": 1, "pid": child.pid}
        self._note(outcome, result_line(about | fields))
