"""What of a plan a plain program can't do, and which of its steps it needn't do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace

from mprun.errors.exceptions import UsageError
from mprun.language.expressions import names_in, value_of
from mprun.language.references import Reference, references_in
from mprun.plan.features import ESSENTIAL, SPREADING, beyond
from mprun.plan.plan import Limits, Plan, PoolStep, ProcessStep, Step, items_of
from mprun.planning.order import waves
from mprun.planning.script_steps import returning
from mprun.sources.table import CallSource, whole_of

# The program does these, or refuses some of what they can say; limits it leaves out, which a comment in it lists.
_KNOWN = ESSENTIAL | SPREADING | {field.name for field in fields(Limits)}


def without_skipped(plan: Plan) -> tuple[Plan, list[str]]:
    """`plan` without the steps whose `if` is known to be false, and without what needs these; their names."""
    skipped: dict[str, None] = {}
    for step in (step for wave in waves(plan.steps) for step in wave):
        if _is_skipped(step, skipped):
            skipped[step.name] = None
    steps = (_without_known_condition(step) for step in plan.steps if step.name not in skipped)
    return replace(plan, steps=tuple(steps)), list(skipped)


def _is_skipped(step: Step, skipped: dict[str, None]) -> bool:
    is_false = _is_known(step) and step.condition is not None and not value_of(step.condition.expression, _nothing)
    return is_false or any(need in skipped for need, how in step.needs.items() if how == "succeeded")


def _is_known(step: Step) -> bool:
    return step.condition is None or not any(names_in(step.condition.expression))


def _nothing(name: object) -> None:
    """What names stand for in a condition without any."""


def _without_known_condition(step: Step) -> Step:
    return replace(step, condition=None) if _is_known(step) else step


def refuse_what_has_no_words(plan: Plan) -> None:
    """Raises UsageError for the first step that the program couldn't do as a run does."""
    returned = returning(plan.steps)
    for reference in references_in(plan.surroundings.env):
        if reference.scope == "run":
            raise UsageError(f"`--python`: the `env` of the workflow refers to `{reference}`, which only a run has")
    for step in plan.steps:
        if told := next(_beyond(step, plan, step.name in returned), ""):
            raise UsageError(f"`--python`: the step `{step.name}` {told}, for which plain multiprocessing has no words")


def _beyond(step: Step, plan: Plan, returns: bool) -> Iterator[str]:
    """What a step has that the program couldn't do."""
    if step.surroundings != plan.surroundings:
        yield "has an `env`, a folder or a search path of its own"
    if step.condition is not None:
        yield f"starts if `{step.condition.text}`"
    for need, how in step.needs.items():
        if how != "succeeded":
            yield f"starts when `{need}` has {'failed' if how == 'failed' else 'ended, succeeded or not'}"
    if isinstance(step, ProcessStep) and step.daemon and (step.cells is not None or returns):
        yield "is a daemon with cells or results"
    for reference in _references(step):
        if reference.scope == "run" and reference.path != ("dir",):
            yield f"refers to `{reference}`"
        if reference.scope == "item" and isinstance(step, PoolStep) and step.call == "apply":
            yield "refers to the `${item}` of a single call"
    yield from (f"has `{name}`" for name in beyond(step, _KNOWN))


def references_to(plan: Plan, scope: str) -> list[Reference]:
    """The references in `plan` to things of `scope`."""
    found = [reference for step in plan.steps for reference in _references(step)]
    return [each for each in (*found, *references_in(plan.surroundings.env)) if each.scope == scope]


def _references(step: Step) -> Iterator[Reference]:
    yield from references_in((step.args, step.kwargs, step.command, step.save))
    if isinstance(step, PoolStep):
        yield from references_in(step.initargs)
    source = items_of(step)
    generator = whole_of(source) if source is not None else None
    if isinstance(generator, CallSource):
        yield from references_in((generator.args, generator.kwargs))
