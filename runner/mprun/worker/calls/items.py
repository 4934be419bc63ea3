"""Makes items from what the parent sends in their place. The child loads them, so that the parent never does."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mprun.results.files import Reader
    from mprun.worker.calls.keys import KeyedItems
    from mprun.worker.calls.pool_setup import PoolWork
    from mprun.worker.calls.step import ProcessWork

Load = Callable[[Any], Any]


def item_loader(work: PoolWork | ProcessWork) -> Load | None:
    """The function that makes the item from what the parent sent; None where that is the item itself.

    It raises whatever loading raises: then that is the task's outcome.
    """
    if work.decoding is not None:
        return work.decoding.value
    if work.items_refer:
        assert work.scope is not None
        return work.scope.evaluate
    if work.items_are == "pickles":
        return pickle.loads
    if work.items_from is None:
        return None
    from mprun.results.files import Reader

    reader = Reader(work.items_from)
    return _Places(reader).load if work.items_are == "places" else _of_results(reader)


def keyed_items(work: PoolWork, load: Load | None) -> KeyedItems | None:
    """What loads the items of a pool with `keys`, in the place of its `load`; None for a pool without."""
    if not work.keys:
        return None
    from mprun.worker.calls.keys import KeyedItems

    return KeyedItems(work.keys, load)


def _of_results(reader: Reader) -> Load:
    return lambda place: None if place is None else reader.load(place)


class _Places:
    """Items of the list that a single call returned, which is loaded once."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._list: Any = None

    def load(self, place: tuple[int, tuple[int, int, int]]) -> Any:
        number, where = place
        if self._list is None:
            self._list = self._reader.load(where)
        return self._list[number]
