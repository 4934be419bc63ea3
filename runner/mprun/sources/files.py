"""Sources of text: the paths that match a pattern, the lines of a file."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Self

from mprun.sources.expression import CallOf, Expression, PathOf
from mprun.sources.source import Redirection, Site, Source, SourceTraits


@dataclass(frozen=True, slots=True)
class GlobSource(Source):
    """The paths (str) that match an absolute `pattern`, sorted; `**` matches all folders.

    A path below `cwd` is relative to it, as children that run there would write it; any other path is absolute. Unless
    `allow_empty`, a pattern without matches is an error, which counting the items raises.
    """

    pattern: str
    cwd: str
    allow_empty: bool = False
    kind: str = "glob"

    TRAITS = SourceTraits(found_in="folder", items_are="paths", modifiers=("allow_empty",))

    @classmethod
    def built(cls, written: str, site: Site, allow_empty: bool = False) -> Self:
        return cls(os.path.join(glob.escape(site.folder), written), site.cwd, allow_empty)

    def items(self) -> Iterator[Any]:
        inside = os.path.join(self.cwd, "")
        return (path.removeprefix(inside) for path in sorted(self.matches()))

    def matches(self) -> Iterator[str]:
        """Yield the absolute paths, in no order."""
        inside = os.path.join(self.cwd, "")
        # `**` matches the folder itself too.
        return (path for path in glob.iglob(self.pattern, recursive=True) if path != inside)

    def redirected(self, redirection: Redirection) -> Source:
        from mprun.sources.overlay import OverlaidGlob, folder_of  # which only trials need

        folder = folder_of(self.pattern)
        return OverlaidGlob(self, folder, redirection.folder(folder or "/"))

    def expression(self) -> Expression:
        options = {"recursive": True} if "**" in self.pattern else {}
        return CallOf("sorted", (CallOf("glob.glob", (PathOf(self.pattern),), options),))


@dataclass(frozen=True, slots=True)
class LinesSource(Source):
    """The lines (str, without their ends) of the UTF-8 text file at the absolute `path`."""

    path: str
    kind: str = "lines"

    TRAITS = SourceTraits(found_in="file", items_are="texts", all_text=True)

    @classmethod
    def built(cls, written: str, site: Site) -> Self:
        return cls(site.absolute(written))

    def items(self) -> Iterator[Any]:
        with open(regular(self.path), encoding="utf-8-sig", newline=None) as lines:
            for line in lines:
                yield line.removesuffix("\n")

    def redirected(self, redirection: Redirection) -> Self:
        return replace(self, path=redirection.file(self.path))

    def expression(self) -> Expression:
        return CallOf("lines_of", (PathOf(self.path),))


def regular(path: str) -> str:
    """Return `path`. Raises OSError for a pipe or a device: one to which nobody writes would block the whole run."""
    if os.path.exists(path) and not os.path.isfile(path):
        raise OSError(f"{path} is not a regular file")
    return path


def below(path: str, cwd: str) -> str:
    """Return `path` relative to the folder `cwd` if it lies in it, else unchanged."""
    return path.removeprefix(os.path.join(cwd, ""))
