"""A reader of the event stream that asks for a stop at the first failure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mprun.log.words import Outcome
from mprun.plan.plan import Plan, when


class FailFast:
    """Calls `stop(step)` when a task or a step fails that may not; those around the run end nothing."""

    def __init__(self, plan: Plan, stop: Callable[[str], None]) -> None:
        self._may_fail = {step.name for step in plan.steps if step.limits.continue_on_error or when(step)}
        self._stop = stop

    def event(self, event: Mapping[str, Any]) -> None:
        if event["event"] == "step.finished" and event["outcome"] == "failed":
            self._failed(event["step"])

    def result(self, step: str, task: int, outcome: Outcome, line: bytes) -> None:
        if outcome not in ("returned", "cancelled"):
            self._failed(step)

    def run(self, step: str, first: int, lines: list[bytes]) -> None:
        """These returned."""

    def count(self, step: str, tasks: int) -> None:
        """So did these."""

    def output(self, fields: Mapping[str, Any], stream: str, line: bytes) -> None:
        """Says nothing about success."""

    def tick(self) -> None:
        """No clock is kept."""

    def _failed(self, step: str) -> None:
        if step not in self._may_fail:
            self._stop(step)
