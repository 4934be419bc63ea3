"""A mistake at a path of the data, before it has a place in the file. What rules and models yield."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from mprun.errors.exceptions import Diagnostic, Place
from mprun.errors.places import Path, Places


@dataclass(frozen=True, slots=True)
class Mistake:
    """`at` says whether the caret goes under the key or the value; `near` narrows it to a text within that line, `skip`
    or more characters from the beginning.

    `first` is a path whose place is told in a note, for what stands in two places.
    """

    code: str
    message: str
    path: Path
    at: Literal["key", "value"] = "value"
    advice: str = ""
    notes: tuple[str, ...] = ()
    near: str = ""
    skip: int = 0
    first: Path | None = None


def to_diagnostic(mistake: Mistake, places: Places) -> Diagnostic:
    place = places.key(mistake.path) if mistake.at == "key" else places.value(mistake.path)
    if mistake.near:
        place = _narrowed(place, mistake.near, mistake.skip)
    notes = mistake.notes
    if mistake.first is not None:
        notes = (*notes, f"the first is at {places.key(mistake.first)}")
    return Diagnostic(mistake.code, mistake.message, place, mistake.advice, notes)


def _narrowed(place: Place, near: str, skip: int) -> Place:
    start = place.text.find(near, place.column - 1 + skip)
    if start < 0 or start + len(near) > place.column - 1 + place.length:
        return place
    return replace(place, column=start + 1, length=len(near))


def found(value: Any) -> str:
    """What was found instead of what was expected, in a few words."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if value == "":
        return "an empty text"
    if isinstance(value, str):
        return f"the text `{short(value)}`"
    if isinstance(value, int | float):
        return f"the number {short(value)}"
    if isinstance(value, list):
        return f"the list `{value}`" if len(value) <= 5 and all(map(is_number, value)) else "a list"
    return "a mapping"


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def short(value: Any, limit: int = 40) -> str:
    text = str(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
