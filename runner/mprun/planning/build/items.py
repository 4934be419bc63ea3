"""Builds the sources of a plan: where the items of a pool and the cells of a fan-out come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mprun.format.items import ItemsFrom, MatrixEntry, NumbersFrom
from mprun.format.steps import PoolEntry, ProcessEntry
from mprun.language.references import Reference
from mprun.sources.table import KEYS, ListSource, MatrixSource, ResultsSource, Site, SliceSource, Source, ZipSource


class ItemsBuilder:
    """Builds the sources that are written at `site`."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def of_pool(self, entry: PoolEntry) -> Source:
        if entry.apply:
            return ListSource((None,))
        return self._items(getattr(entry, entry.call))

    def of_process(self, entry: ProcessEntry) -> Source | None:
        """Return the cells of a fan-out; None for a single Process."""
        return self._items(getattr(entry, entry.fan_out)) if entry.fan_out else None

    def _items(self, written: Any) -> Source:
        match written:
            case list():
                return ListSource.built(written, self._site)
            case Reference():
                return ResultsSource(".".join(written.path))
            case MatrixEntry():
                return MatrixSource(self._axes(written.axes), tuple(written.include), tuple(written.exclude))
            case dict():
                return ZipSource(self._axes(written))
        return self._sliced(written)

    def _sliced(self, written: ItemsFrom) -> Source:
        whole = source_of(written, self._site)
        return SliceSource(whole, written.skip, written.first or None) if written.skip or written.first else whole

    def _axes(self, written: Mapping[str, list[Any] | NumbersFrom]) -> tuple[tuple[str, Source], ...]:
        return tuple((name, axis_of(axis, self._site)) for name, axis in written.items())


def source_of(written: ItemsFrom | NumbersFrom, site: Site) -> Source:
    """Return the source whose key was written, with the keys beside it."""
    kind = KEYS[written.source]
    modifiers = {name: getattr(written, name) for name in kind.TRAITS.modifiers}
    return kind.built(getattr(written, written.source), site, **modifiers)


def axis_of(written: list[Any] | NumbersFrom, site: Site) -> Source:
    return ListSource.built(written, site) if isinstance(written, list) else source_of(written, site)
