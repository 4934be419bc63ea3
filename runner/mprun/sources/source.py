"""The base of the sources: what each source says about itself, with common defaults.

A source is plain data, and part of the plan: a frozen dataclass with slots, whose last field is its `kind`. The planner
makes relative paths absolute; `cwd` is the folder in which the children run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, Self

from mprun.sources.decoding import Decoding
from mprun.sources.expression import Expression


@dataclass(frozen=True, slots=True)
class SourceTraits:
    """What is true of all sources of a kind.

    - `found_in`: where the items are: in the plan, in a file, in a folder (the paths that match), or only in a run
    - `items_are`: what the items are, if known without them; `values` may be anything
    - `all_text`: the values are text from a file, and calls convert them from text
    - `modifiers`: the keys that may stand beside the source's own key in a workflow
    - `may_be_axis`: it may be an axis of a `matrix` or a `zip`
    - `distinct`: no two of its items have the same label
    """

    found_in: Literal["plan", "file", "folder", "run"]
    items_are: Literal["values", "numbers", "paths", "texts", "mappings"] = "values"
    all_text: bool = False
    modifiers: tuple[str, ...] = ()
    may_be_axis: bool = False
    distinct: bool = False


@dataclass(frozen=True, slots=True)
class Site:
    """Where a source is written: relative paths start from `folder`; children run in `cwd`."""

    folder: str
    cwd: str

    def absolute(self, path: str) -> str:
        return os.path.normpath(os.path.join(self.folder, path))


class Redirection(Protocol):
    """Says which files replace others. All paths are absolute."""

    def file(self, path: str) -> str:
        """Return the file to read instead of `path`; mostly `path` itself."""

    def folder(self, path: str) -> str:
        """Return the folder with the files that replace files of the folder `path`, with the same subfolders.

        It may not exist.
        """


class Source:
    """Where the items of a pool or of a fan-out come from."""

    __slots__ = ()
    TRAITS: ClassVar[SourceTraits]
    kind: str

    @classmethod
    def built(cls, written: Any, site: Site) -> Self:
        """Return the source that a workflow has as `written`, which was checked. `modifiers` are passed by name."""
        raise NotImplementedError(f"{cls.__name__} is not written by a key")

    @property
    def traits(self) -> SourceTraits:
        """The traits of the class; for a part, those of the whole."""
        return self.TRAITS

    @property
    def needs_a_run(self) -> bool:
        """Whether only a run has the items. Then the engine feeds them, and `items()` raises."""
        return self.traits.found_in == "run"

    def count(self) -> int | None:
        """Return how many items there are; None if only reading can show it. Enumerates nothing."""
        return None

    def items(self) -> Iterator[Any]:
        """Yield the items, each time from the start.

        Reading a user's file may raise OSError, UnicodeError or ItemError.
        """
        raise NotImplementedError

    def sequence(self) -> Sequence[Any] | None:
        """Return all items at once if that costs nothing (a tuple, a range, or computed items), else None.

        Slices of it can be pickled, and it may be used instead of `items()`.
        """
        return None

    def decoding(self) -> Decoding | None:
        """Return what decodes the items; None if the items are the values that calls get.

        If they aren't (`csv`, `jsonl`), the parent only cuts the file into pieces. It sends a worker the pieces and
        this object, which can be pickled: see Decoding. The parent calls this once per step, before it reads items.
        `csv` reads the header here, and may raise what `items()` raises.
        """
        return None

    def redirected(self, redirection: Redirection) -> Source:
        """Return the source that reads the files that replace its own."""
        return self

    def expression(self) -> Expression:
        """Return how Python would write the items."""
        raise NotImplementedError
