"""The tasks of a pool that no worker has: read from their supply as they are needed, or come back to be run again."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mprun.engines.supply import Supply


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


class Backlog:
    """Gives batches out, in order; what comes back goes first.

    `taken` counts the tasks that were read from the supply.
    """

    def __init__(self, supply: Supply) -> None:
        self.supply = supply
        self.taken = 0
        self.cut = False
        self._again: deque[Batch] = deque()

    @property
    def left(self) -> int | None:
        """How many tasks are still to be given out; None where only reading on can tell."""
        again = sum(len(batch.items) for batch in self._again)
        if self.supply.ended:
            return again
        count = self.supply.count
        return None if count is None else again + count - self.taken

    @property
    def empty(self) -> bool:
        return self.supply.ended and not self._again

    def take(self, most: int, *, only_again: bool = False) -> Batch | None:
        """Up to `most` tasks in a row; None when there are none now. `only_again`: none that were never given out."""
        if self._again:
            batch = self._again.popleft()
            if len(batch.items) > most:
                self._again.appendleft(batch.rest(batch.first + most))
                batch = Batch(batch.first, batch.attempt, batch.items[:most])
            return batch
        items = () if only_again else self.supply.take(most)
        if not items:
            return None
        batch = Batch(self.taken, 1, items)
        self.taken += len(items)
        return batch

    def give_back(self, batch: Batch) -> None:
        """Tasks to be given out again, before all others."""
        if batch.items:
            self._again.appendleft(batch)

    def drop(self, why: str) -> None:
        """Give out nothing more; `cut` says whether there would have been more to read."""
        self.cut = self.cut or not self.supply.ended
        self.supply.drop(why)
        self._again.clear()
