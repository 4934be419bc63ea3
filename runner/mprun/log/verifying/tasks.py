"""Stores which tasks of a step have their result, as the fewest ranges of whole numbers."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence


class TaskRanges:
    """A set of task indexes. Its memory grows with the gaps between them, not with their number."""

    def __init__(self) -> None:
        self._first: list[int] = []  # the first of each range, ascending
        self._end: list[int] = []  # one past the last of each range

    def add(self, first: int, end: int) -> bool:
        """Add `first` to `end` - 1. Return False, and add nothing, if one of them is in the set already."""
        at = bisect_right(self._first, first)
        if (at and self._end[at - 1] > first) or (at < len(self._first) and self._first[at] < end):
            return False
        joins_before = at > 0 and self._end[at - 1] == first
        joins_after = at < len(self._first) and self._first[at] == end
        if joins_before and joins_after:
            self._end[at - 1] = self._end.pop(at)
            del self._first[at]
        elif joins_before:
            self._end[at - 1] = end
        elif joins_after:
            self._first[at] = first
        else:
            self._first.insert(at, first)
            self._end.insert(at, end)
        return True

    def missing(self, count: int) -> Iterator[tuple[int, int]]:
        """Yield the gaps among 0 to `count` - 1, each as (first, end)."""
        at = 0
        for first, end in zip(self._first, self._end, strict=True):
            if at < min(first, count):
                yield at, min(first, count)
            at = end
        if at < count:
            yield at, count

    @property
    def end(self) -> int:
        """One past the highest index; 0 if the set is empty."""
        return self._end[-1] if self._end else 0


def runs_of(tasks: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the non-empty `tasks` as ranges (first, end) of consecutive numbers, in their order."""
    if tasks[-1] - tasks[0] == len(tasks) - 1 and tasks == list(range(tasks[0], tasks[-1] + 1)):
        yield tasks[0], tasks[-1] + 1  # the usual case, decided without a loop in Python
        return
    first = before = tasks[0]
    for task in tasks[1:]:
        if task != before + 1:
            yield first, before + 1
            first = task
        before = task
    yield first, before + 1
