"""Follows what children do with what they share: ends queues, notices what can never come, and tells of both.

It reads the children's notes in intervals. Who starts and who ends it hears from the run's own events.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any

from mprun.engines.loop import Timer
from mprun.engines.run import Execution, Run
from mprun.engines.sharing import Sharing
from mprun.engines.watch import STACK_TIME
from mprun.events import Outcome
from mprun.plan import Plan, PoolStep, SharedThing, Step, declared_tasks
from mprun.sharing.kinds import QUEUES
from mprun.sharing.notes import GOTS, HOLDS, LOOPS, PUTS, TIMES, WAITED
from mprun.sharing.stuck import Party, Pending, Situation, is_about_to_end, may_end, slots_of, stuck
from mprun.sharing.words import child_in_words, explain
from mprun.worker import stacks
from mprun.worker.process import ChildProcess

LOOK_INTERVAL = 0.2  # seconds between two looks
SOON_INTERVAL = 0.02  # seconds between two looks while a queue is about to end
DEPTH_INTERVAL = 1.0  # seconds between two samples of how much is in the queues
STUCK_TIME = 1.0  # seconds that children must be stuck in the same way before anything is said
MAX_STUCK_TIME = 3.0  # seconds after which it is said although others have only just got stuck
MAX_STACK = 4 * 1024  # characters told of one child's stacks
_WORKER_FOLDER = os.path.dirname(stacks.__file__) + os.sep

MAX_TOLD = 8  # children told of with their stacks


class SharingWatch:
    """A reader of the run's events. `executions` are the steps at work."""

    def __init__(self, run: Run, sharing: Sharing, executions: Callable[[], Iterable[Execution]]) -> None:
        self._run = run
        self._sharing = sharing
        self._executions = executions
        self._states = _StepStates(run.plan)
        self._starting: list[ChildProcess] = []
        self._living: dict[int, _Living] = {}
        self._dead: dict[int, str] = {}  # who held a slot when it died
        self._totals: Counter[tuple[int, int]] = Counter()  # of children that have ended, by slot and word
        self._stuck: dict[tuple[int, int | None, int], float] = {}  # since when who waits for what is known to be stuck
        self._told: set[int] = set()  # the pids of those who were told to be stuck
        self._ending: dict[
            str, set[tuple[int, int]]
        ] = {}  # queues that were over at the last look: who waits since when
        self._ended: set[str] = set()
        self._depths: dict[str, int] = {}
        self._depths_told = 0.0
        self._is_looking = False
        self._next_look: Timer | None = None
        self._to_tell: list[dict[str, Any]] = []
        sharing.on_equipped = self._equipped

    # -- what it hears

    def _equipped(self, process: ChildProcess, step: Step) -> None:
        self._starting.append(process)
        if not self._is_looking:
            self._is_looking = True
            self._run.loop.call_soon_from_thread(self._look_later)

    def event(self, event: Mapping[str, Any]) -> None:
        match event["event"]:
            case "process.started" | "worker.started":
                self._child_started(event)
            case "process.joined" | "worker.joined":
                self._child_ended(event)
            case "process.suspended" | "worker.suspended" | "process.continued" | "worker.continued":
                if event["pid"] in self._living:
                    self._living[event["pid"]].suspended = event["event"].endswith("suspended")
            case "step.started" | "step.finished" | "step.skipped":
                self._states.event(event)
                self._run.loop.call_soon(self._free_unused)

    def _child_started(self, event: Mapping[str, Any]) -> None:
        for process in self._starting:
            if process.pid == event["pid"]:
                self._starting.remove(process)
                step = self._run.plan.step(event["step"])
                self._living[event["pid"]] = _Living(process, step, event.get("worker", 0))
                return

    def _child_ended(self, event: Mapping[str, Any]) -> None:
        self._states.event(event)
        child = self._living.pop(event["pid"], None)
        if child is None:
            return
        self._count(child)
        party = child.party()
        held = {slot for slot in (*party.holds, *party.wants) if self._is_left_behind(slot, party)}
        self._dead.update(dict.fromkeys(held, child_in_words(party)))
        things = sorted({self._sharing.slots[slot].thing for slot in held if party.holds.get(slot, 0) > 0})
        if things:
            self._tell("shared.orphaned", **_about(party), names=things)
        self._run.loop.call_soon(self._look_soon)

    def _is_left_behind(self, slot: int, party: Party) -> bool:
        """Whether the dead `party` leaves a lock that nobody can release; a semaphore may have been meant so."""
        return self._sharing.slots[slot].role in ("lock", "semaphore") and not self._sharing.slots[slot].is_free()

    def _count(self, child: _Living) -> None:
        for slot in range(child.slots):
            for word in (TIMES, WAITED, PUTS, GOTS):
                self._totals[slot, word] += child.word(slot, word)

    def result(self, step: str, task: int, outcome: Outcome, line: bytes) -> None:
        self._states.count(step, 1)

    def run(self, step: str, first: int, lines: list[bytes]) -> None:
        self._states.count(step, len(lines))

    def count(self, step: str, tasks: int) -> None:
        self._states.count(step, tasks)

    def output(self, fields: Mapping[str, Any], stream: str, line: bytes) -> None:
        """Says nothing about what is shared."""

    def tick(self) -> None:
        """It keeps its own clock."""

    # -- what it looks at

    def _look_later(self, interval: float = LOOK_INTERVAL) -> None:
        if self._next_look is not None:
            self._next_look.cancel()
        self._next_look = self._run.loop.call_later(interval, self._look_and_go_on)

    def _look_soon(self) -> None:
        if self._is_looking:
            self._look_later(SOON_INTERVAL)

    def _look_and_go_on(self) -> None:
        now = self._situation()
        self._end_queues(now)
        self._find_stuck(now)
        self._tell_depths()
        self._is_looking = bool(self._living or self._starting)
        if self._is_looking:
            self._look_later(SOON_INTERVAL if self._is_soon_to_end(now) else LOOK_INTERVAL)

    def _situation(self) -> Situation:
        slots, uses = self._sharing.slots, self._sharing.uses
        at_work = Counter(child.step.name for child in self._living.values())
        at_tasks = {child.step.name for child in self._living.values() if child.is_at_a_task}
        return Situation(
            slots=slots,
            uses=uses,
            parties=[child.party(at_tasks) for child in self._living.values()],
            pending=self._states.pending(at_work),
            ignored=frozenset(thing.name for thing in self._run.plan.shared if thing.abandoned == "ignore"),
            lost=frozenset(self._dead),
        )

    def _end_queues(self, now: Situation) -> None:
        """End each queue that is empty and over, where two looks in a row say so of the same waits."""
        over = {}
        for made in self._sharing.made:
            name, kind = made.thing.name, made.thing.kind
            if kind in QUEUES and name not in self._ended:
                waits = {(user.pid, user.since) for user in may_end(now, self._item_slot(now, name))}
                if not waits or self._sum(name, PUTS) > self._sum(name, GOTS):
                    continue
                over[name] = waits
                if waits == self._ending.get(name):
                    self._ended.add(name)
                    made.value.end()
                    self._run.events.emit("shared.ended", name=name)
        self._ending = over

    def _item_slot(self, now: Situation, queue: str) -> int:
        return next(slot for slot in slots_of(now.slots, queue) if now.slots[slot].role == "item")

    def _is_soon_to_end(self, now: Situation) -> bool:
        names = [made.thing.name for made in self._sharing.made if made.thing.kind in QUEUES]
        return any(is_about_to_end(now, self._item_slot(now, name)) for name in names if name not in self._ended)

    def _find_stuck(self, now: Situation) -> None:
        moment = time.monotonic()
        parties = [party for party in stuck(now) if party.pid not in self._told]
        keys = {(party.pid, party.waits, party.since): party for party in parties}
        self._stuck = {key: self._stuck.get(key, moment) for key in keys}
        long = [keys[key] for key, since in self._stuck.items() if moment - since >= STUCK_TIME]
        others_may_follow = len(long) < len(keys) and moment - min(self._stuck.values()) < MAX_STUCK_TIME
        if long and not others_may_follow:
            self._tell_stuck(now, long)

    def _tell_stuck(self, now: Situation, parties: list[Party]) -> None:
        self._told.update(party.pid for party in parties)
        for party in parties[:MAX_TOLD]:
            self._living[party.pid].ask_for_stacks()
        self._run.loop.call_later(STACK_TIME, lambda: self._abandon(now, parties))

    def _tell_depths(self) -> None:
        if time.monotonic() - self._depths_told < DEPTH_INTERVAL:
            return
        self._depths_told = time.monotonic()
        for made in self._sharing.made:
            if made.thing.kind in QUEUES:
                depth = self._sum(made.thing.name, PUTS) - self._sum(made.thing.name, GOTS)
                if depth != self._depths.get(made.thing.name, 0):
                    self._depths[made.thing.name] = depth
                    self._run.events.emit("shared.depth", name=made.thing.name, depth=max(0, depth))

    def _sum(self, thing: str, word: int) -> int:
        slots = slots_of(self._sharing.slots, thing)
        living = sum(child.word(slot, word) for child in self._living.values() for slot in slots)
        return living + sum(self._totals[slot, word] for slot in slots)

    # -- what it does

    def _abandon(self, now: Situation, parties: list[Party]) -> None:
        """End the steps whose children wait for what can't come."""
        why = explain(now, parties, self._dead)
        waiting = [
            {**_about(party), "waits_for": now.slots[party.waits].thing, "stack": self._stacks(party)}
            for party in parties[:MAX_TOLD]
            if party.waits is not None
        ]
        steps = sorted({party.step for party in parties})
        self._run.events.emit("shared.abandoned", steps=steps, reason=why, waiting=waiting)
        for execution in list(self._executions()):
            if execution.step.name in steps:
                self._end_step(execution, why)

    def _stacks(self, party: Party) -> str:
        child = self._living.get(party.pid)
        return without_callers(child.stacks())[:MAX_STACK] if child is not None else ""

    def _end_step(self, execution: Execution, why: str) -> None:
        execution.error = execution.error or why
        execution.end(signal.SIGTERM, "what it waited for can't come")

        def kill() -> None:
            if execution in list(self._executions()):
                execution.end(signal.SIGKILL, "what it waited for can't come")

        self._run.loop.call_later(self._run.plan.grace_period, kill)

    def _tell(self, event: str, **fields: Any) -> None:
        """Tell it after the event that is being told."""
        self._to_tell.append({"event": event, **fields})
        self._run.loop.call_soon(self._tell_all)

    def _tell_all(self) -> None:
        for fields in self._to_tell:
            self._run.events.emit(**fields)
        self._to_tell.clear()

    def _free_unused(self) -> None:
        self._sharing.free_unused(self._states.ended, self._thing_totals)

    def close(self) -> None:
        """The steps have ended: tell and free what is left."""
        self._tell_all()
        self._free_unused()

    def _thing_totals(self, thing: SharedThing) -> dict[str, Any]:
        totals: dict[str, Any] = {}
        if thing.kind in QUEUES:
            totals |= {"puts": self._sum(thing.name, PUTS), "gets": self._sum(thing.name, GOTS)}
        taken = self._sum(thing.name, TIMES)
        if taken and thing.kind not in QUEUES:
            totals["taken"] = taken
        return totals | {"waited": round(self._sum(thing.name, WAITED) / 1e9, 6)}


def without_callers(stacks: str) -> str:
    """The reports of `faulthandler`, the most recent call first, up to where mprun's own code called the user's."""
    kept, inside = [], True
    for line in stacks.splitlines(keepends=True):
        inside = (inside or not line.startswith("  File")) and _WORKER_FOLDER not in line
        if inside:
            kept.append(line)
    return "".join(kept)


def _about(party: Party) -> dict[str, Any]:
    worker = {"worker": party.worker} if party.worker else {}
    return {"step": party.step, **worker, "pid": party.pid}


class _Living:
    """A child that shares something."""

    def __init__(self, process: ChildProcess, step: Step, worker: int) -> None:
        assert process.share is not None
        assert process.pid is not None
        self.step = step
        self.suspended = False
        self._process = process
        self._notes = process.share.notes
        self._pid = process.pid
        self._worker = worker

    @property
    def slots(self) -> int:
        return self._notes.slots

    def word(self, slot: int, which: int) -> int:
        return self._notes.word(slot, which) if slot < self._notes.slots else 0

    def party(self, at_tasks: Container[str] = ()) -> Party:
        """What is known of it; `at_tasks` are the steps that have a worker at a task."""
        waits, since = self._notes.wait() or (None, 0)
        return Party(
            pid=self._pid,
            step=self.step.name,
            worker=self._worker,
            holds=self._notes.all(HOLDS),
            wants=self._notes.wants(),
            waits=None if self.suspended else waits,
            since=since,
            rests=self._rests(at_tasks),
            loops=frozenset(self._notes.all(LOOPS)),
        )

    @property
    def is_at_a_task(self) -> bool:
        return self._process.board.task is not None

    def _rests(self, at_tasks: Container[str]) -> bool:
        """Whether it has no task and will have none: its pool has no more of them. One that is to call a finalizer does
        so as soon as the others have ended their tasks."""
        if not isinstance(self.step, PoolStep) or declared_tasks(self.step) is None or self.step.limits.retries.count:
            return False
        if self.step.finalizer and (self.step.maxtasksperchild or self.step.name not in at_tasks):
            return False
        return self._process.board.is_ready and not self.is_at_a_task

    def ask_for_stacks(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, stacks.SIGNAL)

    def stacks(self) -> str:
        return self._process.stacks.new() if self._process.stacks is not None else ""


class _StepStates:
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
