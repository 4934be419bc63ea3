"""A part of another source."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from mprun.decoding import Decoding

if TYPE_CHECKING:
    from mprun.sources import Source


def whole_of(source: Source) -> Source:
    """`source`, or what it is a slice of."""
    while isinstance(source, SliceSource):
        source = source.source
    return source


@dataclass(frozen=True, slots=True)
class SliceSource:
    """The items of `source` without the `skip` first; of these the `first`, or all (None)."""

    source: Source
    skip: int = 0
    first: int | None = None
    kind: str = "slice"

    def count(self) -> int | None:
        whole = self.source.count()
        if whole is None:
            return None
        left = max(0, whole - self.skip)
        return left if self.first is None else min(left, self.first)

    def items(self) -> Iterator[Any]:
        sequence = self.sequence()
        return self.cut(self.source.items()) if sequence is None else iter(sequence)

    def sequence(self) -> Sequence[Any] | None:
        whole = self.source.sequence()
        return None if whole is None else whole[self.skip : self._stop()]

    def decoding(self) -> Decoding | None:
        return self.source.decoding()

    def cut(self, items: Iterator[Any]) -> Iterator[Any]:
        """The slice of `items`, which are those of the source however they were made."""
        return islice(items, min(self.skip, sys.maxsize), self._stop())

    def _stop(self) -> int | None:
        return None if self.first is None else min(self.skip + self.first, sys.maxsize)
