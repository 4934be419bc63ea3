"""`defaults`: merged under every step that doesn't say the same itself, as far as its kind of step can have it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from mprun.errors.exceptions import Diagnostic
from mprun.errors.places import Path, Places
from mprun.format.levels import STEP_GROUPS
from mprun.format.steps import DefaultsEntry
from mprun.loading.mistakes import Mistake, short, to_diagnostic
from mprun.loading.rules.common import Data, StepData, steps
from mprun.loading.rules.limits import ENDLESS

_MAX_NAMES = 8


def with_defaults(data: Data, places: Places, failed: Iterable[Path]) -> Data:
    """`data` with the defaults that hold no mistake in each step; `places` learns where they are written."""
    good = _good(data.get("defaults"), {path[1] for path in failed if path[:1] == ("defaults",) and path[1:]})
    if not good:
        return data
    merged = dict(data)
    for step in steps(data):
        inherited = {key: value for key, value in good.items() if key not in step.entry and _can_have(step, key)}
        group = step.path[0]
        merged[group] = {**merged[group], step.name: {**inherited, **step.entry}}
        for key in inherited:
            places.link((*step.path, key), ("defaults", key))
    return merged


def _good(written: Any, failed: set[Any]) -> Data:
    if not isinstance(written, dict):
        return {}
    try:
        DefaultsEntry.model_validate(written)
        wrong: set[Any] = set()
    except ValidationError as error:
        wrong = {details["loc"][0] for details in error.errors(include_url=False, include_input=False)}
    return {key: value for key, value in written.items() if key not in wrong | failed}


def _can_have(step: StepData, key: str) -> bool:
    endless = step.entry.get("daemon") is True and key in ENDLESS
    one_task = "apply" in step.entry and key == "chunksize"
    return key in STEP_GROUPS[str(step.path[0])].keys and not endless and not one_task


def diagnostics(mistakes: Iterable[Mistake], places: Places) -> Iterator[Diagnostic]:
    """Each mistake with its place. One that several steps have inherited is told once, with their names."""
    inherited: dict[Diagnostic, list[str]] = {}
    for mistake in mistakes:
        told = to_diagnostic(mistake, places)
        if _is_inherited(mistake.path, places):
            inherited.setdefault(told, []).append(short(mistake.path[1]))
        else:
            yield told
    for told, names in inherited.items():
        yield replace(told, notes=(*told.notes, f"a default of {_list(list(dict.fromkeys(names)))}"))


def _is_inherited(path: Path, places: Places) -> bool:
    return len(path) > 2 and places.is_linked(path[:3], ("defaults", path[2]))


def _list(names: list[str]) -> str:
    more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    return ", ".join(f"`{name}`" for name in names[:_MAX_NAMES]) + more
