"""The paths that match a pattern in a folder that has another folder laid over it. It is never part of a plan."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mprun.sources.expression import Expression
from mprun.sources.files import GlobSource
from mprun.sources.source import Source, SourceTraits


@dataclass(frozen=True, slots=True)
class OverlaidGlob(Source):
    """The paths that match `below`, with the files of folder `upper` laid over those of folder `lower`.

    A file in `upper` replaces the file with the same name in `lower`. All paths are in the order of their names in
    `lower`.
    """

    below: GlobSource
    lower: str
    upper: str
    kind: str = "overlaid"

    @property
    def traits(self) -> SourceTraits:
        return self.below.traits

    def items(self) -> Iterator[Any]:
        inside, above = os.path.join(self.below.cwd, ""), self._above()
        names = sorted({*self.below.matches(), *above})
        return (above.get(name, name).removeprefix(inside) for name in names)

    def expression(self) -> Expression:
        return self.below.expression()

    def _above(self) -> dict[str, str]:
        """Return the files of `upper` that match, by the paths that they would have in `lower`."""
        rest = self.below.pattern.removeprefix(glob.escape(self.lower))
        paths = glob.iglob(glob.escape(self.upper) + rest, recursive=True)
        return {self.lower + path.removeprefix(self.upper): path for path in paths}


def folder_of(pattern: str) -> str:
    """Return the folder that an absolute pattern names before its first wildcard."""
    known: list[str] = []
    for part in pattern.split("/")[:-1]:
        if glob.has_magic(_ESCAPED.sub("", part)):
            break
        known.append(_ESCAPED.sub(r"\1", part))
    return "/".join(known)


_ESCAPED = re.compile(r"\[([\[?*])\]")  # as glob.escape writes a character
