"""What the steps of a plan contain, in the order in which they stand: sources, targets, values that are given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mprun.language.targets import Target
from mprun.plan.plan import Plan, PoolStep, Step, items_of
from mprun.sources.table import CallSource, Source, whole_of


def sources_of(plan: Plan) -> list[Source]:
    return [source for step in plan.steps if (source := items_of(step)) is not None]


def targets_of(plan: Plan) -> list[Target]:
    """What the steps call, and what makes the objects that they share."""
    made = [thing.args[0]["call"] for thing in plan.shared if thing.kind == "object"]
    return [*(target for step in plan.steps for target in targets_of_step(step)), *made]


def targets_of_step(step: Step) -> Iterator[Target]:
    yield step.target
    if isinstance(step, PoolStep) and step.initializer:
        yield step.initializer
    if generator := _generator(step):
        yield generator.target


def values_of(step: Step) -> list[Any]:
    """What the functions that `step` calls are given, but for items: it may hold references."""
    generator = _generator(step)
    initargs = step.initargs if isinstance(step, PoolStep) else ()
    return [step.args, step.kwargs, initargs, *([generator.args, generator.kwargs] if generator else [])]


def _generator(step: Step) -> CallSource | None:
    """The function whose values are the items of `step`."""
    source = items_of(step)
    whole = None if source is None else whole_of(source)
    return whole if isinstance(whole, CallSource) else None
