"""Loads items from what the parent sends in their place. The child loads them, so that the parent never unpickles
them."""

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
    """Return the function that loads an item from what the parent sent; None if the parent sent the item itself.

    The function raises whatever loading raises. That is then the outcome of the task.
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
    """Return the loader of the items of a pool with `keys`, which replaces `load`; None for a pool without `keys`."""
    if not work.keys:
        return None
    from mprun.worker.calls.keys import KeyedItems

    return KeyedItems(work.keys, load)


def _of_results(reader: Reader) -> Load:
    return lambda place: None if place is None else reader.load(place)


class _Places:
    """Loads items of the list that a single call returned. The list itself is loaded once."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._list: Any = None

    def load(self, place: tuple[int, tuple[int, int, int]]) -> Any:
        number, where = place
        if self._list is None:
            self._list = self._reader.load(where)
        return self._list[number]
