"""Sources that are written in the workflow: lists and ranges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

from mprun.sources.expression import CallOf, Expression, ListOf
from mprun.sources.source import Site, Source, SourceTraits


@dataclass(frozen=True, slots=True)
class ListSource(Source):
    """Items written in the workflow."""

    values: tuple[Any, ...]
    kind: str = "list"

    TRAITS = SourceTraits(found_in="plan", may_be_axis=True)

    @classmethod
    def built(cls, written: list[Any], site: Site) -> Self:
        return cls(tuple(written))

    def count(self) -> int | None:
        return len(self.values)

    def items(self) -> Iterator[Any]:
        return iter(self.values)

    def sequence(self) -> Sequence[Any] | None:
        return self.values

    def expression(self) -> Expression:
        return ListOf(self.values)


@dataclass(frozen=True, slots=True)
class RangeSource(Source):
    """The integers of Python's `range(start, stop, step)`."""

    start: int
    stop: int
    step: int
    kind: str = "range"

    TRAITS = SourceTraits(found_in="plan", items_are="numbers", may_be_axis=True, distinct=True)

    @classmethod
    def built(cls, written: Sequence[int], site: Site) -> Self:
        numbers = range(*written)
        return cls(numbers.start, numbers.stop, numbers.step)

    def count(self) -> int | None:
        return len(self.sequence())

    def items(self) -> Iterator[Any]:
        return iter(self.sequence())

    def sequence(self) -> range:
        return range(self.start, self.stop, self.step)

    def expression(self) -> Expression:
        if self.step != 1:
            return CallOf("range", (self.start, self.stop, self.step))
        return CallOf("range", (self.start, self.stop) if self.start else (self.stop,))
