"""Sources of text: the paths that match a pattern, the lines of a file."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mprun.sources.decoding import Decoding


@dataclass(frozen=True, slots=True)
class GlobSource:
    """The paths (str) that match an absolute `pattern`, sorted; `**` goes through all folders.

    A path below `cwd` is given relative to it, as the children that run there would write it; any other is absolute.
    Unless `allow_empty`, a pattern that matches nothing is an error: whoever counts the items tells it.
    """

    pattern: str
    cwd: str
    allow_empty: bool = False
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

    def decoding(self) -> Decoding | None:
        return None


@dataclass(frozen=True, slots=True)
class LinesSource:
    """The lines (str, without their ends) of the UTF-8 text file at an absolute `path`."""

    path: str
    kind: str = "lines"

    def count(self) -> int | None:
        return None

    def items(self) -> Iterator[Any]:
        with open(regular(self.path), encoding="utf-8", newline=None) as lines:
            for line in lines:
                yield line.removesuffix("\n")

    def sequence(self) -> Sequence[Any] | None:
        return None

    def decoding(self) -> Decoding | None:
        return None


def regular(path: str) -> str:
    """`path`. Raises OSError for a pipe or a device: one that nobody writes to would hold the whole run up."""
    if os.path.exists(path) and not os.path.isfile(path):
        raise OSError(f"{path} is not a regular file")
    return path


def below(path: str, cwd: str) -> str:
    """`path` relative to the folder `cwd` where it lies in it, else as it is."""
    return path.removeprefix(os.path.join(cwd, ""))
