"""A child of a step that makes no calls: it yields the step's items, or saves its results."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Literal

from mprun.engines.child.child import Child, Ending
from mprun.engines.seam import Run
from mprun.plan.plan import Step
from mprun.worker.boot.process import CHILD_CLASSES
from mprun.worker.wire.frames import GOODBYE, read_fields

Role = Literal["source", "save"]

TakeFrame = Callable[[int, bytes], None]
Ended = Callable[[Ending], dict[str, Any]]


class Helper:
    """Starts one helper for `step`, and logs its start and its end as events of its `role`.

    Calls `frame(kind, body)` for each frame; `ended` when the child is joined, which returns further fields of its last
    event; then `gone`. It takes no slot of `max_parallel`: it mostly waits, and others wait for it.
    """

    def __init__(self, run: Run, step: Step, role: Role, frame: TakeFrame, ended: Ended, gone: Callable[[], None]):
        self.child: Child | None = None
        self._run = run
        self._step = step
        self._role = role
        self._frame = frame
        self._ended = ended
        self._gone = gone
        self._usage: dict[str, Any] = {"cpu_time": None, "max_rss": None}
        self._began = time.monotonic()

    def start(self, target: Callable[..., None], args: tuple[Any, ...], /, **fields: Any) -> None:
        """Start it; `fields` are further fields of the event. Raises OSError, or EOFError (the fork server ended)."""
        plan = self._run.plan
        process = CHILD_CLASSES[plan.start_method](target=target, args=args, name=f"{self._step.name}-{self._role}")
        process.surroundings = self._step.surroundings
        process.unset = self._run.unset
        process.start()
        self.child = Child(self._run.loop, process, self, self._run.mask)
        self._log("started", **fields)

    def end(self, number: int, why: str) -> None:
        if self.child is not None:
            self.child.end(number, why)

    def terminate(self, why: str) -> None:
        """Send SIGTERM, and SIGKILL after the grace period."""
        if self.child is not None:
            self.child.terminate(self._run.plan.grace_period, why, "cancelled")

    def signal(self, number: int) -> None:
        if self.child is not None:
            self.child.signal(number)

    # -- what the child reports

    def frame(self, child: Child, kind: int, body: bytes) -> None:
        if kind == GOODBYE:
            self._usage = read_fields(body)
        self._frame(kind, body)

    def output(self, child: Child, stream: str, task: int | None, line: bytes) -> None:
        self._run.events.emit_output({"step": self._step.name, "pid": child.pid}, stream, line)

    def suspended(self, child: Child, suspended: bool) -> None:
        self._log("suspended" if suspended else "continued")

    def ended(self, child: Child, ending: Ending) -> None:
        fields = self._ended(ending)
        self._log(
            "joined",
            exitcode=ending.exitcode,
            signal=ending.signal_name or None,
            duration=round(time.monotonic() - self._began, 6),
            **self._usage,
            **fields,
        )
        self.child = None
        self._gone()

    def _log(self, what: str, **fields: Any) -> None:
        pid = self.child.pid if self.child is not None else None
        self._run.events.emit(f"{self._role}.{what}", step=self._step.name, pid=pid, **fields)
