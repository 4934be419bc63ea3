"""Which steps of a run that shares something may still start children."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from mprun.plan import Plan, PoolStep, Step, declared_tasks
from mprun.sharing.stuck import Pending


class StepStates:
    """Which steps wait, are at work and have ended, and how many of their tasks have."""

    def __init__(self, plan: Plan) -> None:
        self.ended: set[str] = set()
        self._plan = plan
        self._at_work: set[str] = set()
        self._results: Counter[str] = Counter()

    def event(self, event: Mapping[str, Any]) -> None:
        if event["event"] == "step.started":
            self._at_work.add(event["step"])
        elif event["event"] in ("step.finished", "step.skipped"):
            self._at_work.discard(event["step"])
            self.ended.add(event["step"])

    def count(self, step: str, tasks: int) -> None:
        self._results[step] += tasks

    def pending(self, children: Counter[str]) -> list[Pending]:
        """What may still start, where `children` are at work by step."""
        all_at_work = frozenset(self._at_work) if self._plan.max_parallel else None
        found = []
        for step in self._plan.steps:
            if step.name in self._at_work:
                if self._has_more_to_start(step, children[step.name]):
                    room = all_at_work or frozenset({step.name})
                    found.append(Pending(step.name, needs_room_of=room if children[step.name] else None))
            elif step.name not in self.ended:
                found.append(Pending(step.name, frozenset(step.needs) - self.ended, all_at_work))
        return found

    def _has_more_to_start(self, step: Step, children: int) -> bool:
        if isinstance(step, PoolStep):
            return not children or (bool(self._plan.max_parallel) and children < step.processes)
        declared = declared_tasks(step)
        return not children or declared is None or self._results[step.name] + children < declared
