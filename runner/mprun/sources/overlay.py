"""The paths that match a pattern in a folder over which another one is laid. It stands in no plan."""

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
    """The paths that match `below`, with files of the folder `upper` laid over those of the folder `lower`.

    A file takes the place of the one that has its name there; all stand in the order of these names.
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
        """The files of `upper` that match, by what their names would be in `lower`."""
        rest = self.below.pattern.removeprefix(glob.escape(self.lower))
        paths = glob.iglob(glob.escape(self.upper) + rest, recursive=True)
        return {self.lower + path.removeprefix(self.upper): path for path in paths}


def folder_of(pattern: str) -> str:
    """The folder that an absolute pattern names before its first wildcard."""
    known: list[str] = []
    for part in pattern.split("/")[:-1]:
        if glob.has_magic(_ESCAPED.sub("", part)):
            break
        known.append(_ESCAPED.sub(r"\1", part))
    return "/".join(known)


_ESCAPED = re.compile(r"\[([\[?*])\]")  # as glob.escape writes a character
