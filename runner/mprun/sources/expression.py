"""How Python would write the items of a source: plain data, of which `planning.show` makes text.

The arguments of a call are plain values, sources, mappings of names to sources, and what stands here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from mprun.language.targets import Target


@dataclass(frozen=True, slots=True)
class CallOf:
    """A call: of a function by its name (`glob.glob`; of a module's, or of a helper of the reader's) or of a target."""

    function: str | Target
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PathOf:
    """The absolute path of a file, or a pattern: written from the folder where the expression is to stand."""

    path: str


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of the items themselves."""

    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class ResultsOf:
    """What a step has returned."""

    step: str


Expression: TypeAlias = CallOf | ListOf | ResultsOf
