"""The keys of reused tasks whose step labels them otherwise than before: read off their items, as plain data.

A worker reads a key off the item that it loads; the parent loads no object of a user's. Where an item is one, or very
large, its task has no key.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

from mprun.engines.results.tracking import EarlierTasks, Reused
from mprun.engines.supply.supply import Supply
from mprun.errors.exceptions import ItemError
from mprun.language.labels import key_of
from mprun.language.references import references_in
from mprun.plan.plan import Step, as_data
from mprun.results.files import Reader
from mprun.results.plain_data import plain_value

Load = Callable[[Any], Any]


class NewKeys:
    """Gives what is reused of `step` the key that it has now; its items come from `supply`."""

    def __init__(self, step: Step, supply: Supply) -> None:
        self._keys = step.keys
        self._written = as_data(step.keys)
        self._load = _loader(supply)

    def put(self, reused: Reused, item: Any, number: int, earlier: EarlierTasks) -> Reused:
        """`reused`, which `earlier` has under `number`, with the key of its `item`."""
        if earlier.keys(number) == self._written:
            return reused
        return reused._replace(recorded=reused.recorded._replace(key=self._key(item)))

    def _key(self, item: Any) -> bytes:
        """As JSON; empty where there is none."""
        if not self._keys:
            return b""
        try:
            key = key_of(self._load(item), self._keys)
        except (ItemError, LookupError, OSError, EOFError):
            return b""
        return b"" if key is None else json.dumps(key, ensure_ascii=False).encode()


def _loader(supply: Supply) -> Load:
    """What makes the item from what stands for it. Raises ItemError, LookupError, OSError, EOFError."""
    if supply.decoding is not None:
        return supply.decoding.value
    if supply.items_are == "pickles":
        return plain_value
    if supply.items_from is None:
        return _known
    reader = Reader(supply.items_from)
    if supply.items_are == "places":
        listed = cache(lambda where: _of_file(reader, where))  # one list, which is read once
        return lambda place: listed(place[1])[place[0]]
    return lambda place: None if place is None else _of_file(reader, place)


def _known(item: Any) -> Any:
    if any(references_in(item)):
        raise LookupError("it refers to what only a worker loads")
    return item


def _of_file(reader: Reader, place: tuple[int, int, int]) -> Any:
    _, offset, length = place
    if offset < 0:
        raise LookupError("it is too large")
    return plain_value(bytes(reader.pickle(offset, length)))
