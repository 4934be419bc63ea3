"""Notices that children wait for something that can never come, says so, and ends their steps."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mprun.engines.child.watch import STACK_TIME
from mprun.engines.seam import Execution, Run
from mprun.engines.sharing.children import SharingChildren
from mprun.sharing.explanations import explain
from mprun.sharing.stuck import Party, Situation, one_more_helps, stuck

STUCK_TIME = 1.0  # seconds that children must be stuck in the same way before mprun reports it
WIDENING_TIME = 1.0  # seconds after which a step that got one more child has most likely got stuck again or moved
MAX_STUCK_TIME = 3.0  # seconds after which mprun reports it although others got stuck only now
MAX_STACK = 4 * 1024  # characters of one child's stacks in the log
MAX_REPORTED = 8  # children reported with their stacks
_WHY = "what it waited for can't come"


class Abandoning:
    """Looks at each `Situation`; `executions` are the running steps."""

    def __init__(self, run: Run, children: SharingChildren, executions: Callable[[], Iterable[Execution]]) -> None:
        self._run = run
        self._children = children
        self._executions = executions
        self._stuck: dict[tuple[int, int | None, int], float] = {}  # since when each wait is known to be stuck
        self._reported: set[int] = set()  # the pids that were reported as stuck
        self._widened = -math.inf  # when a limit gave way last

    def look(self, now: Situation) -> None:
        moment = time.monotonic()
        parties = [party for party in stuck(now) if party.pid not in self._reported]
        if parties and self._widen(now):
            self._widened = moment
            self._stuck.clear()
            return
        keys = {(party.pid, party.waits, party.since): party for party in parties}
        self._stuck = {key: self._stuck.get(key, moment) for key in keys}
        long = [keys[key] for key, since in self._stuck.items() if moment - since >= STUCK_TIME]
        others_may_follow = len(long) < len(keys) and moment - min(self._stuck.values()) < MAX_STUCK_TIME
        if long and not others_may_follow:
            self._report(now, long)

    @property
    def has_just_widened(self) -> bool:
        """Whether more children may be needed in a moment."""
        return time.monotonic() - self._widened < WIDENING_TIME

    def _widen(self, now: Situation) -> bool:
        """Start one more child of each step whose children are all stuck, where that helps.

        Only a limit that nobody has set gives way. Returns whether one did.
        """
        widened = False
        for execution in list(self._executions()):
            upcoming = execution.upcoming()
            if upcoming is not None and upcoming.widen is not None and self._one_more_helps(now, execution):
                upcoming.widen()
                widened = True
        return widened

    def _one_more_helps(self, now: Situation, execution: Execution) -> bool:
        step = execution.step.name
        is_ending = any(party.pid in self._reported for party in now.parties if party.step == step)
        return not is_ending and one_more_helps(now, step)

    def _report(self, now: Situation, parties: list[Party]) -> None:
        self._reported.update(party.pid for party in parties)
        for party in parties[:MAX_REPORTED]:
            self._children.ask_for_stacks(party.pid)
        self._run.loop.call_later(STACK_TIME, lambda: self._abandon(now, parties))

    def _abandon(self, now: Situation, parties: list[Party]) -> None:
        """End the steps whose children wait for something that can't come."""
        why = "; ".join([explain(now, parties, self._children.dead), *self._limits(now)])
        waiting = [
            {**about(party), "waits_for": now.slots[party.waits].thing, "stack": self._stack(party)}
            for party in parties[:MAX_REPORTED]
            if party.waits is not None
        ]
        steps = sorted({party.step for party in parties})
        self._run.events.emit("shared.abandoned", steps=steps, reason=why, waiting=waiting)
        for execution in list(self._executions()):
            if execution.step.name in steps:
                self._end_step(execution, why)

    def _limits(self, now: Situation) -> list[str]:
        """What keeps children from starting that could help, in words."""
        held = [(each.step.name, each.upcoming()) for each in self._executions()]
        return [each.held_by for step, each in held if each is not None and each.held_by and one_more_helps(now, step)]

    def _stack(self, party: Party) -> str:
        return self._children.stacks(party.pid)[:MAX_STACK]

    def _end_step(self, execution: Execution, why: str) -> None:
        execution.error = execution.error or why
        execution.end(signal.SIGTERM, _WHY)

        def kill() -> None:
            if execution in list(self._executions()):
                execution.end(signal.SIGKILL, _WHY)

        self._run.loop.call_later(self._run.plan.grace_period, kill)


def about(party: Party) -> Mapping[str, Any]:
    """The fields that identify the child of an event."""
    worker = {"worker": party.worker} if party.worker else {}
    return {"step": party.step, **worker, "pid": party.pid}
