"""A sequence whose items are computed when they are accessed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, overload


class Computed(Sequence[Any]):
    """The items `at(index)` for each of `indices`. A slice computes none of them; a pickled one arrives as a list."""

    def __init__(self, at: Callable[[int], Any], indices: range) -> None:
        self._at = at
        self._indices = indices

    def __len__(self) -> int:
        return len(self._indices)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Computed: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return Computed(self._at, self._indices[index])
        return self._at(self._indices[index])

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (list(self),)
