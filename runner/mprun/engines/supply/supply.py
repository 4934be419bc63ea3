"""Where a pool's items come from during a run. A supply may have nothing *now*, and more later."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from mprun.results.files import ResultFiles
from mprun.sources.decoding import Decoding
from mprun.sources.table import Source
from mprun.worker.calls.pool_setup import ItemsAre


class Supply:
    """Yields items in order. This one has none.

    - `count`: the number of items; None if only reading can show it
    - `ended`: all items were taken
    - `error`: why some could not be read
    - `gone`: no child works for it any more
    - `items_are`: what kind of data it yields instead of items, from which a worker makes them
    - `items_from`: the files to which that data refers; `decoding`: how to read it
    """

    items_are: ItemsAre = "values"
    items_from: ResultFiles | None = None
    decoding: Decoding | None = None

    def __init__(self, error: str = "") -> None:
        self._error = error

    @property
    def error(self) -> str:
        return self._error

    @property
    def count(self) -> int | None:
        return 0

    @property
    def ended(self) -> bool:
        return True

    @property
    def gone(self) -> bool:
        return True

    @property
    def fed_by(self) -> str:
        """The step that must progress before there is another item; empty if no step must."""
        return ""

    def begin(self, on_available: Callable[[], None]) -> None:
        """Start the children that work for it. It calls `on_available` when there may be more to take, or the end."""

    def take(self, most: int) -> Sequence[Any]:
        """Return up to `most` items that are there now."""
        return ()

    def drop(self, why: str) -> None:
        """Give out nothing more, and end the children that work for it."""

    def end(self, number: int, why: str) -> None:
        """Send signal `number` to the children that work for it, to end them."""

    def signal(self, number: int) -> None:
        """Send signal `number` to the children that work for it, but not to end them."""


class SourceSupply(Supply):
    """The items of a source that this process reads by itself."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._count = source.count()
        self._ended = self._count == 0
        self._taken = 0
        self._sequence = source.sequence()
        self._items = self._open(source)

    @property
    def count(self) -> int | None:
        return self._count

    @property
    def ended(self) -> bool:
        return self._ended

    def take(self, most: int) -> Sequence[Any]:
        items = () if self._ended else self._read(most)
        self._taken += len(items)
        if self._taken == self._count:
            self._ended = True
        return items

    def drop(self, why: str) -> None:
        self._ended = True
        self._sequence = ()

    def _open(self, source: Source) -> Iterator[Any]:
        try:
            self.decoding = source.decoding()
            return iter(()) if self._sequence is not None else source.items()
        except Exception as error:  # noqa: BLE001 -- the user's file; becomes the step's error
            return self._fail(error)

    def _read(self, most: int) -> Sequence[Any]:
        """Return up to `most` items of the source; fewer only at its end.

        Items read before an error are still given out.
        """
        if self._sequence is not None:
            return self._sequence[self._taken : self._taken + most]
        items: list[Any] = []
        try:
            items.extend(islice(self._items, most))
        except Exception as error:  # noqa: BLE001 -- the user's file; becomes the step's error
            self._items = self._fail(error)
        self._ended = len(items) < most
        return items

    def _fail(self, error: Exception) -> Iterator[Any]:
        self._error = str(error) or type(error).__name__
        return iter(())


class SlicedSupply(Supply):
    """The items of `whole` after the first `skip`: the next `first` of them, or all (None)."""

    def __init__(self, whole: Supply, skip: int, first: int | None) -> None:
        super().__init__()
        self.items_are, self.items_from, self.decoding = whole.items_are, whole.items_from, whole.decoding
        self._whole = whole
        self._skip = skip
        self._left = first
        self._count = None if whole.count is None else _cut(whole.count, skip, first)

    @property
    def error(self) -> str:
        """Why the items of the slice could not be read. If all of them were read, later errors don't matter."""
        return "" if self._left == 0 else self._whole.error

    @property
    def count(self) -> int | None:
        return self._count

    @property
    def ended(self) -> bool:
        return self._left == 0 or self._whole.ended

    @property
    def gone(self) -> bool:
        return self._whole.gone

    @property
    def fed_by(self) -> str:
        return self._whole.fed_by

    def begin(self, on_available: Callable[[], None]) -> None:
        self._whole.begin(on_available)

    def take(self, most: int) -> Sequence[Any]:
        while self._skip and not self.ended:
            skipped = len(self._whole.take(self._skip))
            if not skipped:
                return ()
            self._skip -= skipped
        if self.ended:
            return ()
        items = self._whole.take(most if self._left is None else min(most, self._left))
        if self._left is not None:
            self._left -= len(items)
            if not self._left:
                self._whole.drop("the end of the slice")
        return items

    def drop(self, why: str) -> None:
        self._whole.drop(why)

    def end(self, number: int, why: str) -> None:
        self._whole.end(number, why)

    def signal(self, number: int) -> None:
        self._whole.signal(number)


def _cut(count: int, skip: int, first: int | None) -> int:
    left = max(0, count - skip)
    return left if first is None else min(left, first)
