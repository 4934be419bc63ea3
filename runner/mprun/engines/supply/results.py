"""The results of a step as the items of a pool: the workers get their places, and load them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mprun.engines.results.back_pressure import Consumer
from mprun.engines.results.store import StepResults
from mprun.engines.supply.supply import Supply
from mprun.worker.calls.pool_setup import ItemsAre


class FinishedResults(Supply):
    """The list of results of a step that has ended, for the step `consumer`; None in the place of a failed one."""

    items_are: ItemsAre = "results"

    def __init__(self, results: StepResults, consumer: str) -> None:
        super().__init__()
        self.items_from = results.files
        self._results = results
        self._consumer = consumer
        self._taken = 0
        self._dropped = False

    @property
    def count(self) -> int | None:
        return self._results.count

    @property
    def ended(self) -> bool:
        return self._dropped or self._taken == self._results.count

    def take(self, most: int) -> Sequence[Any]:
        items = [] if self._dropped else self._results.listed(self._taken, most)
        self._taken += len(items)
        self._results.received[self._consumer] += items.count(None)
        return [item and tuple(item) for item in items]

    def drop(self, why: str) -> None:
        self._dropped = True


class StreamedResults(Supply):
    """The results of the running step `source` while it produces them, for the step `consumer`.

    `must_succeed`: if the step fails, these are not all its items, which is an error. `may_fail`: tasks of the step may
    fail, and each of these gives None in its place. Otherwise failed tasks are skipped, because the whole step has then
    failed.
    """

    items_are: ItemsAre = "results"

    def __init__(
        self, results: StepResults, *, source: str, consumer: str, must_succeed: bool, may_fail: bool = False
    ) -> None:
        super().__init__()
        self._names = source, consumer
        self._must_succeed = must_succeed
        self._may_fail = may_fail
        self.items_from = results.files
        self._results = results
        self._taken = 0
        self._dropped = False
        self._consumer: Consumer | None = None
        self._on_available: Callable[[], None] = lambda: None

    @property
    def count(self) -> int | None:
        return None

    @property
    def ended(self) -> bool:
        return self._dropped or self._results.is_over(self._taken)

    @property
    def fed_by(self) -> str:
        nothing_there = not self._results.take(self._taken, 1)
        return self._names[0] if nothing_there and not self._results.ended else ""

    def begin(self, on_available: Callable[[], None]) -> None:
        self._on_available = on_available
        self._consumer = self._results.consumers.begin(self._names[1])
        self._results.on_available.append(self._more)
        self._more()

    def take(self, most: int) -> Sequence[Any]:
        there: Sequence[Any] = ()
        while not there and not self.ended:
            items = self._results.take(self._taken, most)
            if not items:
                break
            self._taken += len(items)
            there = [item and tuple(item) for item in items if item is not None or self._may_fail]
        self._results.received[self._names[1]] += there.count(None)
        if self._consumer is not None:
            self._consumer.took([item[2] for item in there if item is not None])
            self._results.consumers.caught_up()
        return there

    def drop(self, why: str) -> None:
        self._dropped = True
        if self._consumer is not None:
            self._results.consumers.end(self._consumer)

    def _more(self) -> None:
        if not self._dropped:
            self._error = self._results.failure if self._must_succeed else ""
            self._on_available()


class ListedItems(Supply):
    """The items of the one sequence that a call returned: the index of each, and the place of the whole."""

    items_are: ItemsAre = "places"

    def __init__(self, results: StepResults, step: str) -> None:
        super().__init__()
        self.items_from = results.files
        self._where = next((item and tuple(item) for item in results.take(0, 1)), None)
        self._left = range(max(results.items, 0) if self._where else 0)
        self._count = len(self._left)
        if self._where is not None and results.items < 0:
            self._error = f"what `{step}` returned is not a list"

    @property
    def count(self) -> int | None:
        return self._count

    @property
    def ended(self) -> bool:
        return not self._left

    def take(self, most: int) -> Sequence[Any]:
        numbers, self._left = self._left[:most], self._left[most:]
        return [(number, self._where) for number in numbers]

    def drop(self, why: str) -> None:
        self._left = range(0)
