"""The base of the sources: what each says of itself, with the defaults that most share.

A source is plain data (part of the plan): a frozen dataclass with slots, whose last field is its `kind`. Relative paths
were made absolute by the planner, `cwd` is the folder in which the children run.
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

    `found_in`: where its items stand: in the plan, in a file, in a folder (those that a pattern matches), or only in a
    run that goes on. `items_are`: what the items are, as far as that is known without them; `values` may be anything.
    `all_text`: what calls are given was text in a file, and is converted from text.
    `modifiers`: the keys that may stand beside its own in a workflow. `may_be_axis`: of a `matrix` or a `zip`.
    `distinct`: no two of its items have the same label.
    """

    found_in: Literal["plan", "file", "folder", "run"]
    items_are: Literal["values", "numbers", "paths", "texts", "mappings"] = "values"
    all_text: bool = False
    modifiers: tuple[str, ...] = ()
    may_be_axis: bool = False
    distinct: bool = False


@dataclass(frozen=True, slots=True)
class Site:
    """Where a source is written: relative paths start from `folder`, the children run in `cwd`."""

    folder: str
    cwd: str

    def absolute(self, path: str) -> str:
        return os.path.normpath(os.path.join(self.folder, path))


class Redirection(Protocol):
    """Says which files stand in for others. All paths are absolute."""

    def file(self, path: str) -> str:
        """The file to read for `path`, which mostly is that one."""

    def folder(self, path: str) -> str:
        """Where those lie that stand in for files of the folder `path`, in folders as there; it may not exist."""


class Source:
    """Where the items of a pool or of a fan-out come from."""

    __slots__ = ()
    TRAITS: ClassVar[SourceTraits]
    kind: str

    @classmethod
    def built(cls, written: Any, site: Site) -> Self:
        """The source that stands in a workflow as `written`, which was checked; `modifiers` are given by name."""
        raise NotImplementedError(f"{cls.__name__} is not written by a key")

    @property
    def traits(self) -> SourceTraits:
        """Those of its class; of a part, those of what it is a part of."""
        return self.TRAITS

    @property
    def needs_a_run(self) -> bool:
        """Whether it has items only while a run goes on: the engine feeds them, asking it for them is an error."""
        return self.traits.found_in == "run"

    def count(self) -> int | None:
        """How many items it has; None where only reading can show it. Enumerates nothing."""
        return None

    def items(self) -> Iterator[Any]:
        """Streams them, each time from the start. A user's file may raise OSError, UnicodeError or ItemError."""
        raise NotImplementedError

    def sequence(self) -> Sequence[Any] | None:
        """All items at once where that costs nothing (a tuple, a range, or items that are made when they are asked
        for), else None. Its slices can be pickled, and it may stand in for `items()`."""
        return None

    def decoding(self) -> Decoding | None:
        """None where the items are the values that calls are given.

        Where they aren't (`csv`, `jsonl`), the parent only cuts the file into pieces, and sends a worker the pieces and
        this object, which can be pickled: see Decoding. The parent asks for it once a step, before it reads; `csv`
        reads the header for it, and may raise what `items()` raises.
        """
        return None

    def redirected(self, redirection: Redirection) -> Source:
        """The source that reads the files which stand in for its own."""
        return self

    def expression(self) -> Expression:
        """How Python would write the items."""
        raise NotImplementedError
