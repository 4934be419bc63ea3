"""Mistakes: at a path of the data, as rules and models yield them; and with a place, as stages report them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

from mprun.errors.exceptions import Diagnostic, Place
from mprun.errors.places import Path, Places

_MAX_NAMES = 8


@dataclass(frozen=True, slots=True)
class Mistake:
    """A mistake at a path of the data.

    `at` says whether the caret goes under the key or the value. `near` narrows the place to a text within that line,
    `skip` or more characters from the beginning. `first` is a second path, whose place is shown in a note.
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


class Found(NamedTuple):
    """A mistake that a stage reports about `file`; if `file` is empty, it is about the steps of all files.

    `path` is None if it isn't about a value in the file. `heir` is the step that inherits the value from `defaults`.
    """

    diagnostic: Diagnostic
    file: str
    path: Path | None = None
    heir: str | None = None


def locate(mistake: Mistake, places: Places, file: str) -> Found:
    path = mistake.path
    inherited = len(path) > 2 and places.is_linked(path[:3], ("defaults", path[2]))
    return Found(_diagnostic(mistake, places), file, path, short(path[1]) if inherited else None)


def _diagnostic(mistake: Mistake, places: Places) -> Diagnostic:
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


def diagnostics(reported: Iterable[Found], files: Sequence[str]) -> list[Diagnostic]:
    """Return the diagnostics file by file in the order of `files`, then those about all files.

    A mistake that several steps inherit is reported once.
    """
    rank = {file: number for number, file in enumerate(files)}
    by_file: dict[int, list[Found]] = {}
    for each in reported:
        by_file.setdefault(rank.get(each.file, len(rank)), []).append(each)
    return [diagnostic for _, group in sorted(by_file.items()) for diagnostic in _once(group)]


def _once(reported: Iterable[Found]) -> list[Diagnostic]:
    """Return the diagnostics, inherited ones last and once, each with the names of the steps that inherit it."""
    own = []
    inherited: dict[Diagnostic, list[str]] = {}
    for each in reported:
        if each.heir is not None:
            inherited.setdefault(each.diagnostic, []).append(each.heir)
        else:
            own.append(each.diagnostic)
    return [*own, *(_of_default(diagnostic, names) for diagnostic, names in inherited.items())]


def _of_default(diagnostic: Diagnostic, heirs: list[str]) -> Diagnostic:
    return replace(diagnostic, notes=(*diagnostic.notes, f"a default of {_list(list(dict.fromkeys(heirs)))}"))


def _list(names: list[str]) -> str:
    more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    return ", ".join(f"`{name}`" for name in names[:_MAX_NAMES]) + more


def in_order(diagnostics: Iterable[Diagnostic], main: str) -> tuple[Diagnostic, ...]:
    """Return each diagnostic once: those without a place, those in `main`, then those in other files, top to bottom."""

    def position(diagnostic: Diagnostic) -> tuple[str, int, int]:
        place = diagnostic.place
        return ("" if place.file == main else place.file, place.line, place.column) if place else ("", 0, 0)

    return tuple(sorted(dict.fromkeys(diagnostics), key=position))


def found(value: Any) -> str:
    """Return, in a few words, what was found instead of what was expected."""
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
