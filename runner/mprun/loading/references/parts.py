"""Checks that items, axes and parameters have the parts that references name, such as `${item.part}`.

It checks what is known before the start.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from mprun.errors.places import Path
from mprun.language.path_parts import PATH_PARTS
from mprun.language.references import Reference, follow
from mprun.loading.references.positions import entry_at
from mprun.loading.suggestions import did_you_mean, suggest
from mprun.plan.plan import POOL_CALLS

# An example of an item of a source whose items are not read yet.
_EXAMPLES = {"glob": "a", "lines": "a", "range": 0}


class NoPart(NamedTuple):
    """Why a value lacks a part, and what to write instead."""

    why: str
    advice: str


def missing_part(reference: Reference, path: Path, data: dict[Any, Any]) -> NoPart | None:
    """Return why an item of the step at `path` lacks the part that `reference` names; None if each may have it.

    For `keys`, which name no item that lacks it, one is enough.
    """
    entry, only_of_all = entry_at(data, path[0], path[1]), path[2:] == ("keys",)
    if reference.scope == "item":
        calls = ("foreach", *POOL_CALLS)
        return no_part(next((entry[call] for call in calls if call in entry), None), reference.path, only_of_all)
    axes = entry.get("matrix", entry.get("zip"))
    axis, *further = reference.path
    return no_part(axes.get(axis) if isinstance(axes, dict) else None, tuple(further), only_of_all)


def no_part(items: Any, parts: tuple[str, ...], only_of_all: bool = False) -> NoPart | None:
    """Return why one of `items`, as written, lacks `parts`; None if each may have them, or, with `only_of_all`, one."""
    known = _known(items) if parts else []
    if only_of_all and any(_why_not(item, parts) is None for item in known):
        return None
    return next((NoPart(why, _advice(item, parts)) for item in known if (why := _why_not(item, parts))), None)


def _why_not(item: Any, parts: tuple[str, ...]) -> str | None:
    try:
        follow(item, parts)
    except LookupError as error:
        return str(error)
    return None


def _known(items: Any) -> list[Any]:
    if isinstance(items, list):
        return [item for item in items if not (isinstance(item, str) and "${" in item)]
    source = next(iter(items), None) if isinstance(items, dict) else None
    return [_EXAMPLES[source]] if source in _EXAMPLES else []


def _advice(item: Any, parts: tuple[str, ...]) -> str:
    """Return a suggestion for the first of `parts` that doesn't exist."""
    for part in parts:
        try:
            item = follow(item, (part,))
        except LookupError:
            known = item if isinstance(item, dict) else PATH_PARTS if isinstance(item, str) else ()
            return did_you_mean(suggest(part, [str(each) for each in known]))
    return ""
