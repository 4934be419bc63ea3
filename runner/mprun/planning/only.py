"""A part of a plan to try: named steps and cells with their needs, or the first items of each step."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice

from mprun.errors.exceptions import ItemError, UsageError
from mprun.plan.cells import find_cell, labels
from mprun.plan.plan import Plan, PoolStep, ProcessStep, Step, shared_by
from mprun.sources.table import PickedSource, SliceSource, Source

_MAX_LABELS = 1000  # labels that a suggestion compares
_SHOWN = 8


def only(plan: Plan, wanted: Sequence[str]) -> Plan:
    """`plan` with the steps in `wanted`, all that they need and what these share; of `step@cell`, that cell and others
    so named.

    Raises UsageError for steps and cells that aren't there, or can't be read.
    """
    steps = {step.name: step for step in plan.steps}
    cells: dict[str, list[str]] = {}
    for address in wanted:
        name, at, label = address.partition("@")
        if name not in steps:
            raise UsageError(f"`--only {address}`: there is no step `{name}`{_meant(name, steps)}")
        cells.setdefault(name, [])
        cells[name] += [label] if at else []
    whole = {address for address in wanted if "@" not in address}
    needed = _with_needs(plan, cells)
    kept = tuple(
        _with_cells(step, cells[step.name]) if cells.get(step.name) and step.name not in whole else step
        for step in plan.steps
        if step.name in needed
    )
    given = {name for step in kept for name in shared_by(step)}
    return replace(plan, steps=kept, shared=tuple(thing for thing in plan.shared if thing.name in given))


def _with_needs(plan: Plan, names: Iterable[str]) -> set[str]:
    needs = {step.name: step.needs for step in plan.steps}
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += needs[name]
    return found


def _with_cells(step: Step, wanted: Sequence[str]) -> Step:
    if isinstance(step, PoolStep):
        raise UsageError(f"`--only {step.name}@{wanted[0]}`: `{step.name}` is a pool, which has tasks and no cells")
    if step.cells is None:
        raise UsageError(f"`--only {step.name}@{wanted[0]}`: `{step.name}` is a single process, and has no cells")
    if step.cells.needs_a_run:
        raise UsageError(f"`--only {step.name}@{wanted[0]}`: only the run shows which cells `{step.name}` has")
    try:
        found = dict(sorted((_index(step, step.cells, label), label) for label in wanted))
        picked = PickedSource(step.cells, tuple(found), tuple(found.values()))
        picked.values()
    except (OSError, UnicodeError, ItemError) as error:
        raise UsageError(f"`--only {step.name}@{wanted[0]}`: a cell of `{step.name}` can't be read: {error}") from error
    return replace(step, cells=picked)


def _index(step: ProcessStep, cells: Source, label: str) -> int:
    found = find_cell(cells, label, step.keys)
    if found is None:
        known = list(islice(labels(cells, step.keys), _MAX_LABELS))
        raise UsageError(f"`--only {step.name}@{label}`: `{step.name}` has no cell `{label}`{_meant(label, known)}")
    return found[0]


def _meant(name: str, known: Iterable[str]) -> str:
    names = list(known)
    near = difflib.get_close_matches(name, names, 1)
    if near:
        return f"; did you mean `{near[0]}`?"
    return f"; there is {', '.join(names[:_SHOWN])}{', …' * (len(names) > _SHOWN)}" if names else ""


def first(plan: Plan, count: int) -> Plan:
    """Return `plan` with at most `count` items for each pool and each fan-out."""
    return replace(plan, steps=tuple(_first(step, count) for step in plan.steps))


def _first(step: Step, count: int) -> Step:
    if isinstance(step, ProcessStep):
        return step if step.cells is None else replace(step, cells=SliceSource(step.cells, 0, count))
    return step if step.call == "apply" else replace(step, source=SliceSource(step.source, 0, count))


def narrowed(plan: Plan, wanted: Sequence[str], count: int | None) -> Plan:
    """Return `plan` narrowed as `--only` and `--first` say. Raises UsageError."""
    if not wanted and count is None:
        return plan
    part = only(plan, wanted) if wanted else plan
    part = first(part, count) if count is not None else part
    return replace(part, only=tuple(wanted), first=count or 0)
