"""A part of another source: a slice of it, or some of its items."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from mprun.sources.decoding import Decoding
from mprun.sources.expression import CallOf, Expression, ListOf
from mprun.sources.source import Redirection, Source, SourceTraits


def whole_of(source: Source) -> Source:
    """Return the source that `source` is a part of; `source` itself if it is not a part."""
    while isinstance(source, SliceSource | PickedSource):
        source = source.source
    return source


@dataclass(frozen=True, slots=True)
class SliceSource(Source):
    """The items of `source` after the first `skip`: the next `first` of them, or all (None)."""

    source: Source
    skip: int = 0
    first: int | None = None
    kind: str = "slice"

    @property
    def traits(self) -> SourceTraits:
        return self.source.traits

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

    def redirected(self, redirection: Redirection) -> Source:
        return replace(self, source=self.source.redirected(redirection))

    def expression(self) -> Expression:
        if self.first is None:
            return CallOf("itertools.islice", (self.source, self.skip, None))
        stretch = (self.skip, self.skip + self.first) if self.skip else (self.first,)
        return CallOf("itertools.islice", (self.source, *stretch))

    def cut(self, items: Iterator[Any]) -> Iterator[Any]:
        """Return the slice of `items`, which are the items of the source, or something about each of them."""
        return islice(items, min(self.skip, sys.maxsize), self._stop())

    def _stop(self) -> int | None:
        return None if self.first is None else min(self.skip + self.first, sys.maxsize)


@dataclass(frozen=True, slots=True)
class PickedSource(Source):
    """The items of `source` at `indexes`, which ascend. `labels` are their labels among all items."""

    source: Source
    indexes: tuple[int, ...]
    labels: tuple[str, ...]
    kind: str = "picked"

    @property
    def traits(self) -> SourceTraits:
        return self.source.traits

    def count(self) -> int | None:
        return len(self.indexes)

    def items(self) -> Iterator[Any]:
        sequence = self.sequence()
        return self._pick(self.source.items()) if sequence is None else iter(sequence)

    def sequence(self) -> Sequence[Any] | None:
        whole = self.source.sequence()
        return None if whole is None else [whole[index] for index in self.indexes]

    def decoding(self) -> Decoding | None:
        return self.source.decoding()

    def redirected(self, redirection: Redirection) -> Source:
        return replace(self, source=self.source.redirected(redirection))

    def expression(self) -> Expression:
        return ListOf(tuple(self.values()))

    def values(self) -> list[Any]:
        """Return the values that calls get. Raises what `items()` raises, and ItemError."""
        decoding = self.decoding()
        return [item if decoding is None else decoding.value(item) for item in self.items()]

    def _pick(self, items: Iterator[Any]) -> Iterator[Any]:
        before = -1
        for index in self.indexes:
            yield from islice(items, index - before - 1, index - before)
            before = index
