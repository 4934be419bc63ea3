"""Where the items of a pool and the cells of a fan-out come from, as the plan has them."""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping, Sequence
from typing import Any

from mprun.format.items import ItemsFrom, MatrixEntry, NumbersFrom
from mprun.format.steps import PoolEntry, ProcessEntry
from mprun.language.references import Reference
from mprun.planning.build.limits import ReadTarget
from mprun.sources.table import (
    CallSource,
    CsvSource,
    GlobSource,
    JsonlSource,
    LinesSource,
    ListSource,
    MatrixSource,
    RangeSource,
    ResultsSource,
    SliceSource,
    Source,
    ZipSource,
)


class ItemsBuilder:
    """Makes sources: relative paths start from `folder`, the children run in `cwd`."""

    def __init__(self, folder: str, cwd: str, target: ReadTarget) -> None:
        self._folder = folder
        self._cwd = cwd
        self._target = target

    def of_pool(self, entry: PoolEntry) -> Source:
        if entry.apply:
            return ListSource((None,))
        return self._items(getattr(entry, entry.call))

    def of_process(self, entry: ProcessEntry) -> Source | None:
        """The cells of a fan-out; None for a single Process."""
        return self._items(getattr(entry, entry.fan_out)) if entry.fan_out else None

    def _items(self, written: Any) -> Source:
        match written:
            case list():
                return ListSource(tuple(written))
            case Reference():
                return ResultsSource(".".join(written.path))
            case MatrixEntry():
                return MatrixSource(_axes(written.axes), tuple(written.include), tuple(written.exclude))
            case dict():
                return ZipSource(_axes(written))
        return self._sliced(written)

    def _sliced(self, written: ItemsFrom) -> Source:
        whole = self._source(written)
        return SliceSource(whole, written.skip, written.first or None) if written.skip or written.first else whole

    def _source(self, written: ItemsFrom) -> Source:
        match written.source:
            case "glob":
                pattern = os.path.join(glob.escape(self._folder), written.glob)
                return GlobSource(pattern, self._cwd, written.allow_empty)
            case "lines":
                return LinesSource(self._absolute(written.lines))
            case "csv":
                return CsvSource(self._absolute(written.csv), self._cwd, written.delimiter)
            case "jsonl":
                return JsonlSource(self._absolute(written.jsonl), self._cwd)
            case "call":
                return CallSource(self._target(written.call), tuple(written.args), written.kwargs)
        return range_source(written.range)

    def _absolute(self, path: str) -> str:
        return os.path.normpath(os.path.join(self._folder, path))


def _axes(written: Mapping[str, list[Any] | NumbersFrom]) -> tuple[tuple[str, Source], ...]:
    return tuple(
        (name, ListSource(tuple(axis)) if isinstance(axis, list) else range_source(axis.range))
        for name, axis in written.items()
    )


def range_source(arguments: Sequence[int]) -> RangeSource:
    numbers = range(*arguments)
    return RangeSource(numbers.start, numbers.stop, numbers.step)
