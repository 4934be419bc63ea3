"""The tasks of a pool that no worker has: read from their supply as they are needed, or come back to be run again."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mprun.engines.results.reuse import Sifter
from mprun.engines.supply.supply import Supply


@dataclass(slots=True)
class Batch:
    """Tasks in a row, handed to one worker at once: `items[i]` belongs to task `first + i`. `done` have ended."""

    first: int
    attempt: int
    items: Sequence[Any]
    done: int = 0

    @property
    def end(self) -> int:
        return self.first + len(self.items)

    def rest(self, task: int) -> Batch:
        """What is left from `task` on."""
        return Batch(task, self.attempt, self.items[task - self.first :])


AT_ONCE = 500  # items that are read at once where some may be taken away: a seal of the log covers 1,000 lines


class Backlog:
    """Gives batches out, in order; what comes back goes first.

    `taken` counts the tasks that were read from the supply. `sifter` is shown each of them, and may take it away;
    `passed_over` says that it has taken all of the last ones, and that there may be more.
    """

    def __init__(self, supply: Supply) -> None:
        self.supply = supply
        self.taken = 0
        self.cut = False
        self.sifter: Sifter | None = None
        self.passed_over = False
        self._again: deque[Batch] = deque()
        self._sifted: deque[Batch] = deque()  # never given out

    @property
    def left(self) -> int | None:
        """How many tasks are still to be given out; None where only reading on can tell."""
        waiting = sum(len(batch.items) for batch in (*self._again, *self._sifted))
        if self.supply.ended:
            return waiting
        count = self.supply.count
        return None if count is None else waiting + count - self.taken

    @property
    def empty(self) -> bool:
        return self.supply.ended and not (self._again or self._sifted)

    def take(self, most: int, *, only_again: bool = False) -> Batch | None:
        """Up to `most` tasks in a row; None when there are none now. `only_again`: none that were never given out."""
        if self._again:
            return _first_of(self._again, most)
        if only_again:
            return None
        if self.sifter is not None:
            self.passed_over = not self._sifted and self._read(most, self.sifter) and not self._sifted
            return _first_of(self._sifted, most) if self._sifted else None
        items = self.supply.take(most)
        if not items:
            return None
        batch = Batch(self.taken, 1, items)
        self.taken += len(items)
        return batch

    def look_ahead(self) -> bool:
        """Read on where an earlier run may have what comes next; True where it had, and nothing waits to be run."""
        if self.sifter is None or not self.sifter.looks_ahead or self._again or self._sifted:
            return False
        return self._read(AT_ONCE, self.sifter) and not self._sifted

    def _read(self, most: int, sifter: Sifter) -> bool:
        """Read up to `most` tasks and sift them; False where there are none now."""
        items, first = self.supply.take(min(most, AT_ONCE)), self.taken
        if not items:
            return False
        self.taken += len(items)
        for start, end in sifter.sift(first, items):
            self._sifted.append(Batch(start, 1, items[start - first : end - first]))
        return True

    def give_back(self, batch: Batch) -> None:
        """Tasks to be given out again, before all others."""
        if batch.items:
            self._again.appendleft(batch)

    def drop(self, why: str) -> None:
        """Give out nothing more; `cut` says whether there would have been more to read."""
        self.cut = self.cut or not self.supply.ended
        self.supply.drop(why)
        self._again.clear()
        self._sifted.clear()


def _first_of(batches: deque[Batch], most: int) -> Batch:
    """Up to `most` tasks of the first of `batches`, which loses them."""
    batch = batches.popleft()
    if len(batch.items) > most:
        batches.appendleft(batch.rest(batch.first + most))
        batch = Batch(batch.first, batch.attempt, batch.items[:most])
    return batch
