"""Sources of dicts that combine other, named sources: in all combinations, or side by side."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mprun.sources.computed import Computed
from mprun.sources.expression import CallOf, Expression
from mprun.sources.grid import Grid, alternatives, times_of, value_key
from mprun.sources.source import Source, SourceTraits

MAX_AXES = 100  # axes of a matrix; each is a generator inside the next one's

Axes = tuple[tuple[str, Source], ...]


@dataclass(frozen=True, slots=True)
class MatrixSource(Source):
    """Every combination of the axes' values: dicts in the order of the axes, of which the last changes fastest.

    An axis is a list or a range. An entry of `exclude` gives values of some axes, or a list of alternatives, and
    removes the combinations that match on all of them. `include` extends the remaining combinations, or adds to them
    (see Grid). Values are equal as in YAML: 1 and 1.0 are equal, 1 and true are not. Raises ValueError for axes of
    other sources.
    """

    axes: Axes
    include: tuple[dict[str, Any], ...] = ()
    exclude: tuple[dict[str, Any], ...] = ()
    kind: str = "matrix"

    TRAITS = SourceTraits(found_in="plan", items_are="mappings")

    def __post_init__(self) -> None:
        if len(_values(self.axes)) > MAX_AXES:
            raise ValueError(f"a matrix has at most {MAX_AXES} axes")

    def count(self) -> int | None:
        return self._grid().count

    def items(self) -> Iterator[Any]:
        return self._grid().cells()

    def sequence(self) -> Sequence[Any] | None:
        """None if something is excluded: then only walking through the cells shows which one is the Nth."""
        grid = self._grid()
        if self.exclude or grid.count > sys.maxsize:
            return None
        return Computed(grid.cell, range(grid.count))

    def expression(self) -> Expression:
        if not self.include and not self.exclude:
            return CallOf("combinations_of", (dict(self.axes),))
        excluded = [{axis: alternatives(written) for axis, written in entry.items()} for entry in self.exclude]
        return CallOf("cells_of", (dict(self.axes),), {"include": list(self.include), "exclude": excluded})

    def idle_exclusions(self) -> Iterator[tuple[int, str]]:
        """Yield (index of the entry, axis) where `exclude` names an axis, or only values, that the matrix doesn't
        have."""
        axes = _values(self.axes)
        for index, entry in enumerate(self.exclude):
            for axis, written in entry.items():
                keys = set(map(value_key, alternatives(written)))
                if not any(times_of(axes.get(axis, ()), keys).values()):
                    yield index, axis

    def _grid(self) -> Grid:
        return Grid(_values(self.axes), self.include, self.exclude)


@dataclass(frozen=True, slots=True)
class ZipSource(Source):
    """The first values of all axes, then the second ones, and so on: dicts in the order of the axes.

    An axis is a list or a range. Raises ValueError for axes of other sources, and for axes of unequal lengths.
    """

    axes: Axes
    kind: str = "zip"

    TRAITS = SourceTraits(found_in="plan", items_are="mappings")

    def __post_init__(self) -> None:
        lengths = {axis: len(values) for axis, values in _values(self.axes).items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"axes of unequal lengths: {', '.join(f'{axis} {n}' for axis, n in lengths.items())}")

    def count(self) -> int | None:
        return min(map(len, _values(self.axes).values()), default=0)

    def items(self) -> Iterator[Any]:
        axes = _values(self.axes)
        return (dict(zip(axes, values, strict=True)) for values in zip(*axes.values(), strict=True))

    def sequence(self) -> Sequence[Any] | None:
        axes = _values(self.axes)
        indices = range(min(map(len, axes.values()), default=0))
        return Computed(lambda index: {axis: values[index] for axis, values in axes.items()}, indices)

    def expression(self) -> Expression:
        return CallOf("side_by_side", (dict(self.axes),))


def _values(axes: Axes) -> dict[str, Sequence[Any]]:
    """Return the values of each axis by its name."""
    values = {name: source.sequence() for name, source in axes}
    for name, sequence in values.items():
        if sequence is None:
            raise ValueError(f"the axis {name} is neither a list nor a range")
    if len(values) < len(axes):
        raise ValueError("two axes of the same name")
    return {name: sequence for name, sequence in values.items() if sequence is not None}
