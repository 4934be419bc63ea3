"""A process step with cells: one call in a Process of its own for each, at most `max_parallel` at once.

It reads cells as it needs them: a million of them cost no more memory than one.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

from mprun.engines.child.ends import result_line
from mprun.engines.process.call import ProcessCall
from mprun.engines.process.work import ProcessWorks
from mprun.engines.results.store import not_stored
from mprun.engines.seam import Finished, Run, Upcoming
from mprun.engines.supply.table import supply_of
from mprun.plan.cells import Labels
from mprun.plan.plan import ProcessStep
from mprun.sources.table import Source
from mprun.system.machine import available_cpus


class FanOutExecution:
    """Makes the calls of one step."""

    def __init__(self, run: Run, step: ProcessStep, finished: Finished) -> None:
        assert step.cells is not None
        self.step = step
        self.outcomes: Counter[str] = Counter()
        self.error = ""
        self._run = run
        self._finished = finished
        self._cells: Source = step.cells
        self._supply = supply_of(run, step)
        self._works: ProcessWorks | None = None
        self._labels = Labels(None)
        # Daemons stay until the end: with a limit, some would never start.
        self._most = step.max_parallel or (sys.maxsize if step.daemon else available_cpus())
        self._begun = 0
        self._next: Sequence[Any] = ()  # the item of the cell to start next, once it is read
        self._at_work: set[ProcessCall] = set()
        self._slots = 0  # taken and not given back
        self._stopping = ""  # why no further cell starts
        self._cut = False  # whether there would have been more to read
        self._ended = False

    # -- what a run asks of an execution

    def ready(self) -> bool:
        """One slot is enough to start; more cells start as slots become free."""
        return self._has_slot()

    def slot_freed(self) -> None:
        self._advance_soon()

    def start(self) -> None:
        try:
            self._get_ready()
        except OSError as error:
            self._give_up(not_stored(error))
        self._advance_soon()

    def cancel(self, why: str) -> None:
        self._stopping = self._stopping or why
        self._cut = self._cut or not self._all_begun
        self._next = ()
        self._supply.drop(why)
        for call in list(self._at_work):
            call.cancel(why)
        self._advance_soon()

    def end(self, number: int, why: str) -> None:
        self.cancel(why)
        self._supply.end(number, why)
        for call in list(self._at_work):
            call.end(number, why)

    def signal(self, number: int) -> None:
        self._supply.signal(number)
        for call in list(self._at_work):
            call.signal(number)

    def upcoming(self) -> Upcoming | None:
        if not all(call.has_begun for call in self._at_work):
            return Upcoming()
        if self._all_begun:
            return None
        lacks_slot = bool(self._next) and self._slots <= len(self._at_work)
        at_limit = len(self._at_work) >= self._most
        if at_limit and not lacks_slot and not self.step.max_parallel:
            return Upcoming(needs_room=True, widen=self._widen)
        return Upcoming(needs_room=lacks_slot or at_limit, held_by=self._limit_in_words(at_limit))

    def is_idle(self, pid: int) -> bool:
        return False

    def _widen(self) -> None:
        """Allow one more cell at once. The number of CPUs is a default: a program must not depend on it."""
        self._most += 1
        self._advance_soon()

    def _limit_in_words(self, at_limit: bool) -> str:
        limit = f"the step's `max_parallel: {self._most}`" if at_limit else "the run's `max_parallel`"
        return f"`{self.step.name}[{self._begun}]` can't start, as {limit} is reached: a higher one lets it"

    # -- one cell after the other

    def _get_ready(self) -> None:
        """Open the files for results, and begin to read cells. Raises OSError where results can't be stored."""
        if not (self._cells.needs_a_run or self._supply.error):
            self._labels = Labels(self._cells, self.step.keys)
        self._works = ProcessWorks(self._run, self.step, self._supply)
        self._supply.begin(self._advance_soon)

    def _give_up(self, error: str) -> None:
        self.error = self.error or error
        self.cancel(error)

    def _advance_soon(self) -> None:
        self._run.loop.call_soon(self._advance)

    def _advance(self) -> None:
        """Start as many cells as there are slots, or end the step."""
        if self._ended:
            return
        while len(self._at_work) < self._most and self._has_next() and self._has_slot():
            self._begin_next()
        if self._all_begun and self._supply.gone and not self._at_work:
            self._finish()

    @property
    def _all_begun(self) -> bool:
        return self._supply.ended and not self._next

    def _has_next(self) -> bool:
        """Whether there is a cell to start now. Its item is read before a slot is taken: other steps may need the
        slot."""
        self._next = self._next or self._supply.take(1)
        return bool(self._next)

    def _has_slot(self) -> bool:
        if self._slots <= len(self._at_work):
            self._slots += self._run.slots.take()
        return self._slots > len(self._at_work)

    def _begin_next(self) -> None:
        (item,), self._next = self._next, ()
        assert self._works is not None  # nothing is read before `_get_ready` sets it
        task, self._begun = self._begun, self._begun + 1
        cell = {"task": task, "cell": self._labels.of_next(item)}
        try:
            if self._works.reuse(task, item, cell):
                self.outcomes["returned"] += 1
                return
            work = self._works.of_cell(item)
        except OSError as error:
            self._give_up(not_stored(error))
            self._note_unbegun(task, self._stopping)
            return
        call = ProcessCall(self._run, self.step, work, cell, self._works.results, self._call_ended)
        self._at_work.add(call)
        call.start()

    def _call_ended(self, call: ProcessCall) -> None:
        self._at_work.remove(call)
        self.outcomes[str(call.outcome)] += 1
        self.error = self.error or call.error
        self._give_back_slots()
        self._advance_soon()

    def _give_back_slots(self) -> None:
        """Give back unused slots, except one while cells remain: the run has promised it."""
        spare = self._slots - max(not self._all_begun, len(self._at_work))
        if spare > 0:
            self._slots -= spare
            self._run.slots.give_back(spare)

    # -- the end

    def _finish(self) -> None:
        self._ended = True
        self._cancel_the_rest()
        if self._supply.error:
            self.error = self.error or f"its cells could not be read: {self._supply.error}"
        if self._slots:
            self._run.slots.give_back(self._slots)
        self._finished(self)

    def _cancel_the_rest(self) -> None:
        """Book every declared cell without an outcome as cancelled: it never started."""
        declared = self._cells.count()
        if declared is None and self._cut:
            self.error = self.error or "it was stopped before the end of its cells"
        for task in range(self._begun, declared or 0):
            self._note_unbegun(task, self._stopping)

    def _note_unbegun(self, task: int, why: str) -> None:
        about = {"event": "process.result", "step": self.step.name, "task": task, "attempt": 1}
        self.outcomes["cancelled"] += 1
        if self._works is not None and self._works.results is not None:
            self._works.results.add_none(task)
        line = result_line({**about, "outcome": "cancelled", "cancelled_by": why})
        self._run.events.emit_result(self.step.name, task, "cancelled", line)
