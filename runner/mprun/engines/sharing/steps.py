"""Which steps of a run that shares something may still start children."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from mprun.engines.seam import Execution
from mprun.plan.plan import HOOKS, Plan, PoolStep, ProcessStep, Step, when
from mprun.sharing.stuck import Pending

_STAGES = ("", *HOOKS.values())


class StepStates:
    """Which steps wait, run, and have ended."""

    def __init__(self, plan: Plan) -> None:
        self.ended: set[str] = set()
        self._plan = plan
        self._at_work: set[str] = set()

    def event(self, event: Mapping[str, Any]) -> None:
        if event["event"] == "step.started":
            self._at_work.add(event["step"])
        elif event["event"] in ("step.finished", "step.skipped"):
            self._at_work.discard(event["step"])
            self.ended.add(event["step"])

    def pending(self, children: Counter[str], executions: Mapping[str, Execution]) -> list[Pending]:
        """What may still start; `children` counts the living ones by step."""
        found = []
        for step in self._plan.steps:
            if step.name in self._at_work:
                found += self._more_of(step, children[step.name], executions.get(step.name))
            elif step.name not in self.ended:
                found.append(Pending(step.name, self._to_end_before(step), self._room()))
        return found

    def _to_end_before(self, step: Step) -> frozenset[str]:
        """The steps that must end before `step` starts and have not: those that it needs, and earlier stages.

        The run ends daemons itself once only daemons are left.
        """
        stage = _STAGES.index(when(step))
        earlier = (each for each in self._plan.steps if _STAGES.index(when(each)) < stage and not _is_daemon(each))
        return frozenset({*step.needs, *(each.name for each in earlier)}) - self.ended

    def _room(self) -> frozenset[str] | None:
        """The steps whose slots another step may need; None where there is no bound."""
        return frozenset(self._at_work) if self._plan.max_parallel else None

    def _more_of(self, step: Step, children: int, execution: Execution | None) -> list[Pending]:
        """The children that a running step may still start."""
        if not children or execution is None:
            return [Pending(step.name)]
        upcoming = execution.upcoming()
        if upcoming is None or (isinstance(step, PoolStep) and children >= step.processes):
            return []
        return [
            Pending(step.name, needs_room_of=(self._room() or frozenset({step.name})) if upcoming.needs_room else None)
        ]


def _is_daemon(step: Step) -> bool:
    return isinstance(step, ProcessStep) and step.daemon
