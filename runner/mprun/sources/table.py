"""Where the items of a pool or of a fan-out come from: one small class a source, one table of them all.

A source is plain data (part of the plan). Relative paths were made absolute by the planner, `cwd` is the folder in
which the children run. Each source has a `kind`, and tells four things:

- `count()`: how many items it has, None where only reading can tell. Nothing is enumerated for it.
- `items()`: streams them, each time from the start. Reading a user's file may raise OSError, UnicodeError or ItemError.
- `sequence()`: all of them at once where that costs nothing (a tuple, a range, or items that are made when they are
  asked for), else None. Its slices can be pickled, and it may stand in for `items()`.
- `decoding()`: None where the items are the values that calls are given. Where they aren't (`csv`, `jsonl`), the parent
  only cuts the file into pieces, and hands a worker the pieces and this object, which can be pickled. `value(item)` is
  the value, or raises ItemError: a bad row fails as a task, with its place. `place(item)` is that place, such as
  `data.csv:17`. The parent asks for the decoding once a step, before it reads; `csv` reads the header for it, and may
  raise what `items()` raises.

`call` and `results` have items only while a run goes on: the engine feeds them, asking them for items is an error.
"""

from __future__ import annotations

from mprun.sources.combined import MAX_AXES, MatrixSource, ZipSource
from mprun.sources.computed import Computed
from mprun.sources.files import GlobSource, LinesSource
from mprun.sources.literal import ListSource, RangeSource
from mprun.sources.live import CallSource, ResultsSource
from mprun.sources.records import CsvSource, JsonlSource
from mprun.sources.slices import PickedSource, SliceSource, whole_of

Source = (
    ListSource
    | RangeSource
    | GlobSource
    | LinesSource
    | JsonlSource
    | CsvSource
    | SliceSource
    | PickedSource
    | MatrixSource
    | ZipSource
    | CallSource
    | ResultsSource
)

__all__ = [
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
    "SliceSource",
    "Source",
    "ZipSource",
    "whole_of",
]
