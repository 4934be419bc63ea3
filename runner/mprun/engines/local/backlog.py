"""The tasks of a pool that no worker has: the supply's next ones, and those that came back."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mprun.engines.results.reuse import ReuseFilter
from mprun.engines.supply.supply import Supply


@dataclass(slots=True)
class Batch:
    """Consecutive tasks sent to one worker at once: `items[i]` belongs to task `first + i`. `done` of them have
    ended."""

    first: int
    attempt: int
    items: Sequence[Any]
    done: int = 0

    @property
    def end(self) -> int:
        return self.first + len(self.items)

    def rest(self, task: int) -> Batch:
        """Return the batch from `task` on."""
        return Batch(task, self.attempt, self.items[task - self.first :])


AT_ONCE = 500  # items to read at once where some may be reused; a seal of the log covers 1,000 lines


class Backlog:
    """Gives out batches in order. Tasks that came back go first.

    `taken` counts the tasks read from the supply. Each passes `reuse_filter`, which removes tasks that an earlier run
    has done. `all_reused`: it removed all of the last ones, and there may be more.
    """

    def __init__(self, supply: Supply) -> None:
        self.supply = supply
        self.taken = 0
        self.cut = False
        self.reuse_filter: ReuseFilter | None = None
        self.all_reused = False
        self._returned: deque[Batch] = deque()
        self._to_run: deque[Batch] = deque()  # never sent to a worker

    @property
    def left(self) -> int | None:
        """How many tasks remain; None if that is unknown until all are read."""
        waiting = sum(len(batch.items) for batch in (*self._returned, *self._to_run))
        if self.supply.ended:
            return waiting
        count = self.supply.count
        return None if count is None else waiting + count - self.taken

    @property
    def empty(self) -> bool:
        return self.supply.ended and not (self._returned or self._to_run)

    def take(self, most: int, *, only_retries: bool = False) -> Batch | None:
        """Return up to `most` consecutive tasks; None if there are none now. `only_retries`: only tasks that came
        back."""
        if self._returned:
            return _first_of(self._returned, most)
        if only_retries:
            return None
        if self.reuse_filter is not None:
            self.all_reused = not self._to_run and self._read(most, self.reuse_filter) and not self._to_run
            return _first_of(self._to_run, most) if self._to_run else None
        items = self.supply.take(most)
        if not items:
            return None
        batch = Batch(self.taken, 1, items)
        self.taken += len(items)
        return batch

    def look_ahead(self) -> bool:
        """Read ahead if an earlier run may have done the next tasks. Return whether it did, and none is left to run."""
        if self.reuse_filter is None or not self.reuse_filter.looks_ahead or self._returned or self._to_run:
            return False
        return self._read(AT_ONCE, self.reuse_filter) and not self._to_run

    def _read(self, most: int, reuse_filter: ReuseFilter) -> bool:
        """Read up to `most` tasks and filter them. Return False if there are none now."""
        items, first = self.supply.take(min(most, AT_ONCE)), self.taken
        if not items:
            return False
        self.taken += len(items)
        for start, end in reuse_filter.filter(first, items):
            self._to_run.append(Batch(start, 1, items[start - first : end - first]))
        return True

    def give_back(self, batch: Batch) -> None:
        """Take back tasks. They go out before all others."""
        if batch.items:
            self._returned.appendleft(batch)

    def drop(self, why: str) -> None:
        """Send nothing more; `cut` says whether there was more to read."""
        self.cut = self.cut or not self.supply.ended
        self.supply.drop(why)
        self._returned.clear()
        self._to_run.clear()


def _first_of(batches: deque[Batch], most: int) -> Batch:
    """Remove up to `most` tasks from the first of `batches`."""
    batch = batches.popleft()
    if len(batch.items) > most:
        batches.appendleft(batch.rest(batch.first + most))
        batch = Batch(batch.first, batch.attempt, batch.items[:most])
    return batch
