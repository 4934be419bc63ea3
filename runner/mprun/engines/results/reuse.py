"""Filters out the tasks of a step that an earlier run has done: it books them as they were, and no child gets them."""

from __future__ import annotations

import contextlib
import os
import shutil
from array import array
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from mprun.engines.results.ledger import Ledger
from mprun.engines.results.new_keys import NewKeys
from mprun.engines.results.store import StepResults
from mprun.engines.results.task_files import TaskFiles
from mprun.engines.results.tracking import Reused, Tracked, contents_of
from mprun.engines.supply.supply import Supply
from mprun.log.codec.task_lines import ReusedLines
from mprun.plan.plan import Step
from mprun.worker.wire.result_frames import Values

Range = tuple[int, int]  # the first task of some in a row, and the one behind their last


class ReuseFilter:
    """For one pool, whose outcomes `ledger` books, and whose items come from `supply`. `logged`: each task has a line
    in the log."""

    def __init__(
        self, tracked: Tracked, supply: Supply, ledger: Ledger, step: Step, file_notes: str, *, logged: bool
    ) -> None:
        self._tracked = tracked
        self._contents = contents_of(supply)
        self._ledger = ledger
        self._step = step.name
        self._keys = NewKeys(step, supply)
        self._files = TaskFiles(step, supply, tracked.earlier_files, file_notes)
        self._logged = logged

    @property
    def looks_ahead(self) -> bool:
        """Whether an earlier run has any of the tasks."""
        return self._tracked.earlier is not None

    def filter(self, first: int, items: Sequence[Any]) -> list[Range]:
        """Book what is known of the tasks `first`, `first` + 1, …; returns those that are to be run."""
        numbers = self._tracked.take(first, items, self._contents)
        earlier = self._tracked.earlier
        if earlier is None:
            return [(first, first + len(items))]
        results = self._ledger.results
        recall = recaller(self._tracked, results, logged=self._logged)
        found: list[tuple[int, Reused | None]] = []
        for task, (number, item) in enumerate(zip(numbers, items, strict=True), first):
            reused = None if number < 0 or self._files.why_again(item) else recall(task, number)
            if reused is not None:
                self._files.carry_over(item)
            found.append((task, reused and self._keys.put(reused, item, number, earlier)))
        to_run = []
        for known, some in groupby(found, key=lambda pair: pair[1] is not None):
            tasks = list(some)
            if known:
                self._book(tasks[0][0], [reused for _, reused in tasks if reused is not None])
            else:
                to_run.append((tasks[0][0], tasks[-1][0] + 1))
        return to_run

    def _book(self, first: int, reused: list[Reused]) -> None:
        assert self._tracked.earlier is not None
        run_id = self._tracked.earlier.run_id
        values = values_of(first, reused) if self._ledger.results is not None else None
        if not self._logged:
            self._ledger.book_reused(first, len(reused), values, run_id)
            return
        lines = ReusedLines({"event": "task.result", "step": self._step}, run_id)
        written = [lines.line(each.recorded, task) for task, each in enumerate(reused, first)]
        self._ledger.book_run(first, written, values)


def recaller(tracked: Tracked, results: StepResults | None, *, logged: bool) -> Callable[[int, int], Reused | None]:
    """The function of a task and the number that it had which gives what is known of it, its value in place."""
    earlier = tracked.earlier

    def recall(task: int, number: int) -> Reused | None:
        if earlier is None or number < 0:
            return None
        try:
            reused = earlier.recall(number, logged=logged, kept=results is not None)
        except OSError:
            return None
        own = results.files.own(task, 1) if results is not None else ""
        if reused is None or not _has_value(reused, own):
            return None
        if tracked.note_reused(task, number):
            return reused
        _remove(reused, own)
        return None

    return recall


def _has_value(reused: Reused, own: str) -> bool:
    """Whether the value, if there is one, is there: a large one at the path `own`."""
    path = reused.value.path if reused.value is not None and own else ""
    return not path or _taken_over(path, own)


def _remove(reused: Reused, own: str) -> None:
    if own and reused.value is not None and reused.value.path:
        with contextlib.suppress(OSError):
            os.unlink(own)


def _taken_over(path: str, own: str) -> bool:
    """Give a large value's file a second name, or copy it where that can't be."""
    with contextlib.suppress(OSError):
        os.link(path, own, follow_symlinks=False)
        return True
    with contextlib.suppress(OSError):
        shutil.copyfile(path, own, follow_symlinks=False)
        return True
    return False


def values_of(first: int, reused: Sequence[Reused]) -> Values | None:
    """The values of tasks in a row, in the form that children report; None where none is stored."""
    values = [each.value for each in reused if each.value is not None]
    if not values:
        return None
    lengths = array("q", [value.length for value in values])
    return Values(first, 1, values[-1].items, lengths, b"".join(value.data for value in values))
