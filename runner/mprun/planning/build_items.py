"""Where the items of a pool and the cells of a fan-out come from, as the plan has them."""

from __future__ import annotations

import glob
import os
from typing import Any

from mprun.models.items import ItemsFrom
from mprun.models.steps import PoolEntry, ProcessEntry
from mprun.planning.build_limits import ReadTarget
from mprun.sources import GlobSource, LinesSource, ListSource, RangeSource, Source


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
        if isinstance(written, list):
            return ListSource(tuple(written))
        return self._source(written)

    def _source(self, written: ItemsFrom) -> Source:
        match written.source:
            case "glob":
                return GlobSource(os.path.join(glob.escape(self._folder), written.glob), self._cwd)
            case "lines":
                return LinesSource(os.path.normpath(os.path.join(self._folder, written.lines)))
        numbers = range(*written.range)
        return RangeSource(numbers.start, numbers.stop, numbers.step)
