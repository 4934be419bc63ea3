"""The children that share something: the living, what each notes, and what the ended ones left."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Container, Mapping
from typing import Any

from mprun.engines.seam import Execution
from mprun.engines.sharing.things import Sharing
from mprun.plan.plan import PoolStep, Step
from mprun.sharing.explanations import child_in_words
from mprun.sharing.notes import GOTS, HOLDS, LOOPS, PUTS, TIMES, WAITED, WAITS
from mprun.sharing.stuck import Party, slots_of
from mprun.worker.boot import stacks
from mprun.worker.boot.process import ChildProcess

_WORKER_FOLDER = os.path.dirname(os.path.dirname(stacks.__file__)) + os.sep


class SharingChildren:
    """The children of one run. `dead` says, by slot, who held it when it ended."""

    def __init__(self, sharing: Sharing) -> None:
        self.dead: dict[int, str] = {}
        self._sharing = sharing
        self._starting: list[ChildProcess] = []
        self._living: dict[int, LivingChild] = {}
        self._totals: Counter[tuple[int, int]] = Counter()  # of children that have ended, by slot and word

    def __bool__(self) -> bool:
        return bool(self._living or self._starting)

    def equipped(self, process: ChildProcess) -> None:
        """`process` has what it shares, and is about to start."""
        self._starting.append(process)

    def started(self, event: Mapping[str, Any], step: Step) -> None:
        for process in self._starting:
            if process.pid == event["pid"]:
                self._starting.remove(process)
                self._living[event["pid"]] = LivingChild(process, step, event.get("worker", 0))
                return

    def suspended(self, pid: int, suspended: bool) -> None:
        if pid in self._living:
            self._living[pid].suspended = suspended

    def ended(self, pid: int) -> tuple[Party, list[str]] | None:
        """The child at its end, and the things that it held; None where it shared nothing."""
        child = self._living.pop(pid, None)
        if child is None:
            return None
        self._count(child)
        party = child.party(None)
        left = {slot for slot in (*party.holds, *party.wants) if self._is_left_behind(slot)}
        self.dead.update(dict.fromkeys(left, child_in_words(party)))
        return party, sorted({self._sharing.slots[slot].thing for slot in left if party.holds.get(slot, 0) > 0})

    def _count(self, child: LivingChild) -> None:
        for slot in range(child.slots):
            for word in (TIMES, WAITS, WAITED, PUTS, GOTS):
                self._totals[slot, word] += child.word(slot, word)

    def _is_left_behind(self, slot: int) -> bool:
        """Whether a dead child leaves a lock that nobody can release; a semaphore may have been meant so."""
        return self._sharing.slots[slot].role in ("lock", "semaphore") and not self._sharing.slots[slot].is_free()

    def parties(self, executions: Mapping[str, Execution]) -> list[Party]:
        """All living children; `executions` are the running steps."""
        at_tasks = {child.step.name for child in self._living.values() if child.is_at_a_task}
        return [child.party(executions.get(child.step.name), at_tasks) for child in self._living.values()]

    def at_work(self) -> Counter[str]:
        """How many children live, by step. A Pool's own thread may call this, too."""
        return Counter(child.step.name for child in list(self._living.values()))

    def sum(self, thing: str, word: int) -> int:
        """The sum of that word over all slots of `thing`, of living and ended children.

        Each `notify` is noted as a wait, though hardly any waits: the sum leaves those out.
        """
        slots = [slot for slot in slots_of(self._sharing.slots, thing) if self._sharing.slots[slot].role != "notify"]
        living = sum(child.word(slot, word) for child in self._living.values() for slot in slots)
        return living + sum(self._totals[slot, word] for slot in slots)

    def ask_for_stacks(self, pid: int) -> None:
        if pid in self._living:
            self._living[pid].ask_for_stacks()

    def stacks(self, pid: int) -> str:
        """The stacks that child `pid` has written since it was asked; empty where it wrote none."""
        return without_callers(self._living[pid].stacks()) if pid in self._living else ""


class LivingChild:
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

    @property
    def is_at_a_task(self) -> bool:
        return self._process.board.task is not None

    def party(self, execution: Execution | None, at_tasks: Container[str] = ()) -> Party:
        """The child now; `execution` is its running step, `at_tasks` the steps of which a worker runs a task."""
        waits, since = self._notes.wait() or (None, 0)
        return Party(
            pid=self._pid,
            step=self.step.name,
            worker=self._worker,
            holds=self._notes.all(HOLDS),
            wants=self._notes.wants(),
            waits=None if self.suspended else waits,
            since=since,
            loops=frozenset(self._notes.all(LOOPS)),
            **_prospects(execution, self._pid, at_tasks),
        )

    def ask_for_stacks(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, stacks.SIGNAL)

    def stacks(self) -> str:
        return self._process.stacks.new() if self._process.stacks is not None else ""


def _prospects(execution: Execution | None, pid: int, at_tasks: Container[str]) -> dict[str, Any]:
    """Whether the child `pid` has no task and will get none, or only when another step progresses."""
    if execution is None or not execution.is_idle(pid) or _finalizes(execution.step, at_tasks):
        return {}
    upcoming = execution.upcoming()
    return {"rests": True} if upcoming is None else {"fed_by": upcoming.fed_by}


def _finalizes(step: Step, at_tasks: Container[str]) -> bool:
    """Whether an idle worker may be about to call a finalizer: once the others have finished their tasks."""
    if not isinstance(step, PoolStep) or step.finalizer is None:
        return False
    return bool(step.maxtasksperchild) or step.name not in at_tasks


def without_callers(stacks: str) -> str:
    """The reports of `faulthandler`, most recent call first, without the frames of mprun's own code."""
    kept, inside = [], True
    for line in stacks.splitlines(keepends=True):
        inside = (inside or not line.startswith("  File")) and _WORKER_FOLDER not in line
        if inside:
            kept.append(line)
    return "".join(kept)
