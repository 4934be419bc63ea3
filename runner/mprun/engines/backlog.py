"""The tasks of a pool that no worker has: read from the source as they are needed, or come back to be run again."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from mprun.sources import Source


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

    `taken` counts the tasks that were read from the source. `error` is why reading it failed, if it did.
    """

    def __init__(self, source: Source) -> None:
        self.taken = 0
        self.error: Exception | None = None
        self._count = source.count()
        self.exhausted = self._count == 0
        self.cut = False
        self._sequence = source.sequence()
        self._items = self._open(source)
        self._again: deque[Batch] = deque()

    @property
    def left(self) -> int | None:
        """How many tasks are still to be given out; None where only reading on can tell."""
        again = sum(len(batch.items) for batch in self._again)
        if self.exhausted:
            return again
        return None if self._count is None else again + self._count - self.taken

    @property
    def empty(self) -> bool:
        return self.exhausted and not self._again

    def take(self, most: int) -> Batch | None:
        """Up to `most` tasks in a row; None when there are none now."""
        if self._again:
            batch = self._again.popleft()
            if len(batch.items) > most:
                self._again.appendleft(batch.rest(batch.first + most))
                batch = Batch(batch.first, batch.attempt, batch.items[:most])
            return batch
        items = () if self.exhausted else self._read(most)
        if not items:
            return None
        batch = Batch(self.taken, 1, items)
        self.taken += len(items)
        if self.taken == self._count:
            self.exhausted = True
        return batch

    def give_back(self, batch: Batch) -> None:
        """Tasks to be given out again, before all others."""
        if batch.items:
            self._again.appendleft(batch)

    def drop(self) -> None:
        """Give out nothing more; `cut` says whether there would have been more to read."""
        self.cut = self.cut or not self.exhausted
        self.exhausted = True
        self._again.clear()
        self._sequence = ()

    def _open(self, source: Source) -> Iterator[Any]:
        try:
            return source.items()
        except Exception as error:  # noqa: BLE001 -- the user's file; told as the step's error
            self._fail(error)
            return iter(())

    def _read(self, most: int) -> Sequence[Any]:
        """Up to `most` items of the source; fewer only at its end. What was read before an error is still given out."""
        if self._sequence is not None:
            return self._sequence[self.taken : self.taken + most]
        items: list[Any] = []
        try:
            items.extend(islice(self._items, most))
        except Exception as error:  # noqa: BLE001 -- the user's file; told as the step's error
            self._fail(error)
        if len(items) < most:
            self.exhausted = True
        return items

    def _fail(self, error: Exception) -> None:
        self.error = error
        self._items = iter(())
