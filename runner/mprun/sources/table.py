"""The table of sources: where the items of a pool or of a fan-out come from, one small class per source.

Each class answers for itself what `Source` declares: its items, its traits, how it is built, how it is written as code.
A new source that a workflow writes by a key needs its class, a row in KEYS, and a field in `format.items`.
"""

from __future__ import annotations

from mprun.sources.combined import MAX_AXES, MatrixSource, ZipSource
from mprun.sources.computed import Computed
from mprun.sources.files import GlobSource, LinesSource
from mprun.sources.literal import ListSource, RangeSource
from mprun.sources.live import CallSource, ResultsSource
from mprun.sources.records import CsvSource, JsonlSource
from mprun.sources.slices import PickedSource, SliceSource, whole_of
from mprun.sources.source import Site, Source, SourceTraits

KEYS: dict[str, type[Source]] = {
    "range": RangeSource,
    "glob": GlobSource,
    "lines": LinesSource,
    "csv": CsvSource,
    "jsonl": JsonlSource,
    "call": CallSource,
}
"""Those that stand in a workflow as a mapping with a key of their kind, in the order in which messages list them."""

KINDS: dict[str, type[Source]] = {
    **KEYS,
    "list": ListSource,
    "results": ResultsSource,
    "matrix": MatrixSource,
    "zip": ZipSource,
    "slice": SliceSource,
    "picked": PickedSource,
}
"""All of them, by their kind in the plan."""

__all__ = [
    "KEYS",
    "KINDS",
    "MAX_AXES",
    "CallSource",
    "Computed",
    "CsvSource",
    "GlobSource",
    "JsonlSource",
    "LinesSource",
    "ListSource",
    "MatrixSource",
    "PickedSource",
    "RangeSource",
    "ResultsSource",
    "Site",
    "SliceSource",
    "Source",
    "SourceTraits",
    "ZipSource",
    "whole_of",
]
