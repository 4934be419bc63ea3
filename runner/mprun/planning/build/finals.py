"""`${results.step.finals}`: gives the results of a pool's finalizers a name of their own among the results of a
plan."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from mprun.language.expressions import put_in
from mprun.language.references import FINALS, Lookup, Reference, finals_of, settle
from mprun.plan.plan import PoolStep, Step


def with_finals(steps: Iterable[Step]) -> list[Step]:
    """Return `steps` with references to the finals of a pool with a `finalizer` marked as such."""
    all_steps = list(steps)
    finalized = {step.name for step in all_steps if isinstance(step, PoolStep) and step.finalizer}

    def lookup(reference: Reference) -> Reference:
        match reference:
            case Reference("results", (name, part, *further)) if part == FINALS and name in finalized:
                return Reference("results", (finals_of(name), *further))
        return reference

    return [_with(step, lookup) for step in all_steps] if finalized else all_steps


def _with(step: Step, lookup: Lookup) -> Step:
    condition = step.condition and replace(step.condition, expression=put_in(step.condition.expression, lookup))
    given = {"args": step.args, "kwargs": step.kwargs, "command": step.command}
    if isinstance(step, PoolStep):
        given["initargs"] = step.initargs
    return replace(step, condition=condition, **{key: settle(value, lookup) for key, value in given.items()})
