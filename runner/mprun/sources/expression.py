"""How Python would write the items of a source: plain data, which `planning.show` turns into text.

The arguments of a call are plain values, sources, mappings of names to sources, and the classes below.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from mprun.language.targets import Target


@dataclass(frozen=True, slots=True)
class CallOf:
    """A call of a target, or of a function by its name: one of a module (`glob.glob`), or a helper of the reader's."""

    function: str | Target
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PathOf:
    """The absolute path of a file, or a pattern. It is written relative to the folder of the expression."""

    path: str


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of the items themselves."""

    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class ResultsOf:
    """The results of a step."""

    step: str


Expression: TypeAlias = CallOf | ListOf | ResultsOf
