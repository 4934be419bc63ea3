"""Items as plain data, for the parent to look at: it loads no object of a user's, and leaves out what is very large."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from mprun.engines.supply.supply import Supply
from mprun.language.references import references_in
from mprun.results.files import Reader
from mprun.results.plain_data import plain_value

Load = Callable[[Any], Any]


def plain_loader(supply: Supply) -> Load:
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
