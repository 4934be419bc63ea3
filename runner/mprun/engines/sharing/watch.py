"""Watches what children do with what they share: ends queues, notices waits that can never end, and logs both.

It reads the children's notes at intervals, and learns of their starts and ends from the run's own events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mprun.engines.seam import Execution, Run
from mprun.engines.sharing.abandon import Abandoning, about
from mprun.engines.sharing.children import SharingChildren
from mprun.engines.sharing.queues import SharedQueues
from mprun.engines.sharing.steps import StepStates
from mprun.engines.sharing.things import Sharing
from mprun.log.words import Outcome
from mprun.plan.plan import SharedThing, Step
from mprun.sharing.kinds import QUEUES
from mprun.sharing.notes import GOTS, PUTS, TIMES, WAITED, WAITS
from mprun.sharing.stuck import Situation
from mprun.system.loop import Timer
from mprun.worker.boot.process import ChildProcess

LOOK_INTERVAL = 0.2  # seconds between two looks
SOON_INTERVAL = 0.02  # seconds between two looks while a queue is about to end, or one child after the other starts


class SharingWatch:
    """A reader of the run's events. `executions` are the running steps."""

    def __init__(self, run: Run, sharing: Sharing, executions: Callable[[], Iterable[Execution]]) -> None:
        self._run = run
        self._sharing = sharing
        self._states = StepStates(run.plan)
        self._children = SharingChildren(sharing)
        self._queues = SharedQueues(run.events, sharing, self._children)
        self._executions = executions
        self._abandoning = Abandoning(run, self._children, executions)
        self._is_looking = False
        self._next_look: Timer | None = None
        self._unreported: list[dict[str, Any]] = []
        sharing.on_equipped = self._equipped

    # -- what it receives

    def _equipped(self, process: ChildProcess, step: Step) -> None:
        self._queues.go_on_for(step)
        self._children.equipped(process)
        if not self._is_looking:
            self._is_looking = True
            self._run.loop.call_soon_from_thread(self._look_later)

    def event(self, event: Mapping[str, Any]) -> None:
        match event["event"]:
            case "process.started" | "worker.started":
                self._children.started(event, self._run.plan.step(event["step"]))
            case "process.joined" | "worker.joined":
                self._child_ended(event["pid"])
            case "process.suspended" | "worker.suspended" | "process.continued" | "worker.continued":
                self._children.suspended(event["pid"], event["event"].endswith("suspended"))
            case "step.started" | "step.finished" | "step.skipped":
                self._states.event(event)
                self._run.loop.call_soon(self._free_unused)

    def _child_ended(self, pid: int) -> None:
        ended = self._children.ended(pid)
        if ended is None:
            return
        party, things = ended
        if things:
            self._log_later("shared.orphaned", **about(party), names=things)
        self._run.loop.call_soon(self._look_soon)

    def result(self, step: str, task: int, outcome: Outcome, line: bytes) -> None:
        """Needs nothing: the child's own notes say it."""

    def run(self, step: str, first: int, lines: list[bytes]) -> None:
        """Needs nothing: the child's own notes say it."""

    def count(self, step: str, tasks: int) -> None:
        """Needs nothing: the child's own notes say it."""

    def output(self, fields: Mapping[str, Any], stream: str, line: bytes) -> None:
        """Needs nothing: output says nothing about shared things."""

    def tick(self) -> None:
        """Needs nothing: it has timers of its own."""

    # -- what it looks at

    def _look_later(self, interval: float = LOOK_INTERVAL) -> None:
        if self._next_look is not None:
            self._next_look.cancel()
        self._next_look = self._run.loop.call_later(interval, self._look_and_continue)

    def _look_soon(self) -> None:
        if self._is_looking:
            self._look_later(SOON_INTERVAL)

    def _look_and_continue(self) -> None:
        now = self._situation()
        self._queues.look(now)
        self._abandoning.look(now)
        self._queues.log_depths()
        self._is_looking = bool(self._children)
        if self._is_looking:
            soon = self._queues.is_soon_to_end(now) or self._abandoning.has_just_widened
            self._look_later(SOON_INTERVAL if soon else LOOK_INTERVAL)

    def _situation(self) -> Situation:
        executions = {execution.step.name: execution for execution in self._executions()}
        return Situation(
            slots=self._sharing.slots,
            uses=self._sharing.uses,
            parties=self._children.parties(executions),
            pending=self._states.pending(self._children.at_work(), executions),
            ignored=frozenset(thing.name for thing in self._run.plan.shared if thing.abandoned == "ignore"),
            lost=frozenset(self._children.dead),
        )

    # -- what it logs and frees

    def _log_later(self, event: str, **fields: Any) -> None:
        """Log it after the event that is being logged."""
        self._unreported.append({"event": event, **fields})
        self._run.loop.call_soon(self._report_all)

    def _report_all(self) -> None:
        for fields in self._unreported:
            self._run.events.emit(**fields)
        self._unreported.clear()

    def _free_unused(self) -> None:
        self._sharing.free_unused(self._states.ended, self._thing_totals)

    def close(self) -> None:
        """The steps have ended: log and free what is left."""
        self._report_all()
        self._free_unused()

    def _thing_totals(self, thing: SharedThing) -> dict[str, Any]:
        name, totals = thing.name, dict[str, Any]()
        if thing.kind in QUEUES:
            totals |= {"puts": self._children.sum(name, PUTS), "gets": self._children.sum(name, GOTS)}
        elif taken := self._children.sum(name, TIMES):
            totals["taken"] = taken
        totals["waits"] = self._children.sum(name, WAITS)
        return totals | {"waited": round(self._children.sum(name, WAITED) / 1e9, 6)}
