"""Where the items of a pool come from: one small class a source, one table of them all.

A source is plain data (part of the plan). `count()` is how many items it has, None where only reading can tell;
`items()` streams them; `sequence()` gives them all at once where that costs nothing, else None. Relative paths were
made absolute by the planner, `cwd` is the folder in which the children run.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any


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


@dataclass(frozen=True, slots=True)
class GlobSource:
    """The paths (str) that match an absolute `pattern`, sorted; `**` goes through all folders.

    A path below `cwd` is given relative to it, as the children that run there would write it; any other is absolute.
    """

    pattern: str
    cwd: str
    kind: str = "glob"

    def count(self) -> int | None:
        return None

    def items(self) -> Iterator[Any]:
        inside = os.path.join(self.cwd, "")
        for path in sorted(glob.iglob(self.pattern, recursive=True)):
            if path != inside:  # `**` matches the folder itself too
                yield path.removeprefix(inside)

    def sequence(self) -> Sequence[Any] | None:
        return None


@dataclass(frozen=True, slots=True)
class LinesSource:
    """The lines (str, without their ends) of the UTF-8 text file at an absolute `path`.

    A pipe or a device is refused (OSError): one that nobody writes to would hold the whole run up.
    """

    path: str
    kind: str = "lines"

    def count(self) -> int | None:
        return None

    def items(self) -> Iterator[Any]:
        if os.path.exists(self.path) and not os.path.isfile(self.path):
            raise OSError(f"{self.path} is not a regular file")
        with open(self.path, encoding="utf-8", newline=None) as lines:
            for line in lines:
                yield line.removesuffix("\n")

    def sequence(self) -> Sequence[Any] | None:
        return None


Source = ListSource | RangeSource | GlobSource | LinesSource
