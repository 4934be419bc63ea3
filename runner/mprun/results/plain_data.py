"""Results as plain data, for the parent to decide by: numbers, texts, lists, mappings. No class is ever loaded."""

from __future__ import annotations

import io
import os
import pickle
from typing import Any

from mprun.results.files import Item, Stored

MOST = 10_000  # results of one step
LARGEST = 1024 * 1024  # bytes of them together


class _PlainUnpickler(pickle.Unpickler):
    """Refuses whatever isn't plain data, and so can run nobody's code."""

    def find_class(self, module: str, name: str) -> Any:
        raise LookupError(f"it holds a {module}.{name}")


def plain_result(stored: Stored | None) -> Any:
    """The value of a step, or the list of them; None where it was skipped.

    Raises LookupError where that is no plain data, or too much of it, and OSError.
    """
    if stored is None:
        return None
    items = list(stored.items()) if stored.count <= MOST else None
    if items is None or sum(item.length for item in items if item is not None) > LARGEST:
        raise LookupError("it is too large")
    with open(stored.files.pickles, "rb") as pickles:
        values = [None if item is None else _load(pickles.fileno(), item) for item in items]
    return (values[0] if values else None) if stored.single else values


def plain_value(data: bytes) -> Any:
    """The value whose pickle is `data`. Raises LookupError where that is no plain data."""
    try:
        return _PlainUnpickler(io.BytesIO(data)).load()
    except pickle.UnpicklingError as error:
        raise LookupError(f"it can't be read: {error}") from None


def _load(fd: int, item: Item) -> Any:
    if item.offset < 0:
        raise LookupError("it is too large")
    return plain_value(os.pread(fd, item.length, item.offset))
