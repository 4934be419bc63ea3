"""How many failed entries of other steps' results a step was given as None: what its summary counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from mprun.engines.results.store import StepResults, Store
from mprun.language.references import Reference, references_in
from mprun.plan.plan import Step


def failures_received(step: Step, store: Store) -> dict[str, int]:
    """By the step whose results they are, those that have any: as items, and in what `step` refers to.

    An entry that it was given in both ways counts once.
    """
    found = {name: results.received[step.name] for name, results in store.all()}
    for reference in _referred_to(step):
        name = reference.path[0]
        found[name] = max(found.get(name, 0), _failures_in(store.of(name), reference.path[1:]))
    return {name: count for name, count in found.items() if count}


def _referred_to(step: Step) -> Iterator[Reference]:
    values = [getattr(step, each.name) for each in fields(step) if each.name != "condition"]
    return (reference for reference in references_in(values) if reference.scope == "results")


def _failures_in(results: StepResults | None, path: tuple[str, ...]) -> int:
    """How many of the entries that `path` leads to are failed ones."""
    if results is None or not results.failures:
        return 0
    if results.single or not path:
        return results.failures
    return int(path[0].isdecimal() and int(path[0]) in results.failed())
