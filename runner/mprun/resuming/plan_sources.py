"""From a plan's JSON back to the sources whose items stand in it."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from mprun.sources.table import KINDS, Source


def written_source(document: dict[str, Any]) -> Source | None:
    """The source that `document` describes; None where its items don't stand there."""
    kind = KINDS.get(document["kind"])
    if kind is None:
        return None
    names = {each.name for each in fields(kind)} - {"kind"}  # type: ignore[arg-type]  # each kind is a dataclass
    given = {name: _field(name, value) for name, value in document.items() if name in names}
    stands_there = given["source"] is not None if "source" in given else kind.TRAITS.found_in == "plan"
    return kind(**given) if stands_there else None


def _field(name: str, value: Any) -> Any:
    """As the source has it: what is a list in JSON was a tuple."""
    if name == "source":
        return written_source(value)
    if name == "axes":
        return tuple((axis, written_source(of_axis)) for axis, of_axis in value)
    return tuple(value) if isinstance(value, list) else value
