"""Sources that are in the workflow as they are: lists and ranges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mprun.sources.decoding import Decoding


@dataclass(frozen=True, slots=True)
class ListSource:
    """Items written out in the workflow."""

    values: tuple[Any, ...]
    kind: str = "list"

    def count(self) -> int | None:
        return len(self.values)

    def items(self) -> Iterator[Any]:
        return iter(self.values)

    def sequence(self) -> Sequence[Any] | None:
        return self.values

    def decoding(self) -> Decoding | None:
        return None


@dataclass(frozen=True, slots=True)
class RangeSource:
    """The integers of Python's `range(start, stop, step)`."""

    start: int
    stop: int
    step: int
    kind: str = "range"

    def count(self) -> int | None:
        return len(range(self.start, self.stop, self.step))

    def items(self) -> Iterator[Any]:
        return iter(range(self.start, self.stop, self.step))

    def sequence(self) -> Sequence[Any] | None:
        return range(self.start, self.stop, self.step)

    def decoding(self) -> Decoding | None:
        return None
