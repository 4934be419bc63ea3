"""What of a plan a plain program has no words for: all of it is refused at once, by the step and the feature."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from mprun.errors.exceptions import UsageError
from mprun.language.references import Reference, Template, is_finals, references_in, step_of
from mprun.language.targets import Target, search_path
from mprun.plan.features import ESSENTIAL, SPREADING, beyond
from mprun.plan.plan import (
    HOOKS,
    Limits,
    Plan,
    PoolStep,
    ProcessStep,
    SharedThing,
    Step,
    has_one_result,
    needed_results,
    shared_by,
    when,
)
from mprun.planning.eject.contents import targets_of_step, values_of
from mprun.planning.eject.names import importable
from mprun.planning.eject.queues import uses_methods_alone
from mprun.planning.order import waves
from mprun.sharing.kinds import QUEUES
from mprun.sources.table import ListSource, MatrixSource, Source, ZipSource, whole_of

_GROUPS = {stage: group for group, stage in HOOKS.items()}
# The program has these, or a comment at its top lists what it leaves out of them; it has no earlier run to reuse.
_KNOWN = ESSENTIAL | SPREADING | {"reuse", *(field.name for field in fields(Limits))}
PLAIN_CALLS = ("", "check")  # their functions get the arguments as they are written
_TO_MEET = ("Event", "Condition", "Barrier", "Pipe", *QUEUES)


def refuse_what_is_not_plain(plan: Plan) -> None:
    """Raises UsageError, which lists what the program couldn't do as a run does."""
    refusals = [
        *_of_env(plan),
        *(f"the step `{step.name}` {each}" for step in plan.steps for each in _of_step(step, plan)),
        *(f"the shared `{thing.name}` {each}" for thing in plan.shared for each in _of_thing(thing, plan)),
    ]
    if refusals:
        raise UsageError("\n  ".join(["`--python`: plain multiprocessing has no words for this:", *refusals]))


def _of_env(plan: Plan) -> Iterator[str]:
    for reference in references_in(plan.surroundings.env):
        if reference.scope == "run":
            yield f"the `env` of the workflow refers to `{reference}`"


def _of_step(step: Step, plan: Plan) -> Iterator[str]:
    yield from _of_its_start(step, plan)
    yield from _of_its_call(step)
    yield from _of_its_values(step, plan)
    yield from _of_cells(step) if isinstance(step, ProcessStep) else _of_pool(step)
    yield from (f"has `{name}`" for name in beyond(step, _KNOWN))


def _of_its_start(step: Step, plan: Plan) -> Iterator[str]:
    if step.surroundings != plan.surroundings:
        yield "has an `env`, a folder or a search path of its own"
    if when(step):
        yield f"is one of `{_GROUPS[when(step)]}`, which are run around the others"
    if step.condition is not None:
        yield f"starts if `{step.condition.text}`"
    for need, how in step.needs.items():
        if how != "succeeded":
            yield f"starts when `{need}` has {'failed' if how == 'failed' else 'ended, succeeded or not'}"


def _of_its_call(step: Step) -> Iterator[str]:
    if step.command:
        yield "runs a `command`"
    else:
        yield from (refusals for target in targets_of_step(step) for refusals in _of_target(target))
    if step.converts not in PLAIN_CALLS:
        yield f"has arguments that become what the annotations of `{step.target.text}` ask for"
    if step.save:
        yield "saves its results"


def _of_target(target: Target) -> Iterator[str]:
    if target.file:
        yield f"calls `{target.text}` by the file: write it as `module:function`"
    elif not importable(target):
        yield f"calls `{target.text}`, which Python's `import` can't name"


def _of_its_values(step: Step, plan: Plan) -> Iterator[str]:
    values = values_of(step)
    for reference in dict.fromkeys(references_in(values)):
        yield from _of_reference(reference, plan)
    if any(reference.scope != "params" for reference in references_in(list(_templates(values)))):
        yield "writes values into a text"
    if needed := needed_results(step):
        yield from _of_results(needed, plan)


def _of_reference(reference: Reference, plan: Plan) -> Iterator[str]:
    match reference.scope, reference.path:
        case "results", (results, *path):
            yield from _of_results(results, plan)
            is_item = len(path) == 1 and path[0].isdecimal() and not has_one_result(plan.step(step_of(results)))
            if path and not is_item:
                yield f"takes a part of a value: `{reference}`"
        case "item", (_, *_):
            yield f"takes a part of a value: `{reference}`"
        case "run", _:
            yield f"refers to `{reference}`"


def _of_results(results: str, plan: Plan) -> Iterator[str]:
    """What has no variable in the program: only what a Pool returns has one."""
    if not is_finals(results) and plan.step(results).kind == "process":
        yield f"takes the result of `{results}`: a Process returns nothing"


def _templates(value: Any) -> Iterator[Template]:
    if isinstance(value, Template):
        yield value
    elif isinstance(value, list | tuple | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _templates(item)


def _of_cells(step: ProcessStep) -> Iterator[str]:
    """A list of Processes that all start at once is plain; to have a number of them at work is what a Pool is for."""
    if step.cells is None:
        return
    cells = step.cells.count()
    if isinstance(whole_of(step.cells), MatrixSource | ZipSource):
        yield "has cells by `matrix` or `zip`"
    elif cells is None:
        yield "has a number of cells that only a run can show"
    elif step.max_parallel < cells:
        yield f"may not start its {cells} cells all at once (`max_parallel: {cells}` does)"


def _of_pool(step: PoolStep) -> Iterator[str]:
    if step.call in ("matrix", "zip"):
        yield f"calls by `{step.call}`: a Pool has no such method"
    if step.call == "starmap" and not step.command and _may_be_by_name(whole_of(step.source)):
        yield "may have mappings among its items: a Pool's `starmap` has no arguments by name"
    if step.finalizer:
        yield "has a `finalizer`"
    for name in dict.fromkeys(
        each.path[0] for each in references_in((step.args, step.kwargs)) if each.scope == "shared"
    ):
        yield f"gives its tasks the shared `{name}`: it can reach workers only by `initargs`"


def _may_be_by_name(source: Source) -> bool:
    """Whether an item of a `starmap` may be a mapping of keyword arguments."""
    if isinstance(source, ListSource):
        return any(isinstance(value, dict) for value in source.values)
    return True


def _of_thing(thing: SharedThing, plan: Plan) -> Iterator[str]:
    """What a shared thing does in a run that multiprocessing's own doesn't."""
    users = [step for step in plan.steps if thing.name in shared_by(step)]
    listed = ", ".join(f"`{step.name}`" for step in users)
    if thing.kind == "array":
        yield f"of {listed} is an array of numpy"
    if thing.kind == "object":
        target = thing.args[0]["call"]
        yield from _of_target(target)
        if thing.converts not in PLAIN_CALLS:
            yield f"is made with arguments that become what the annotations of `{target.text}` ask for"
    if thing.kind in QUEUES:
        folders = search_path(sys.path, plan.surroundings.pythonpath)
        waiting = [step.name for step in users if not uses_methods_alone(step, thing.name, folders)]
        yield from (f"is a {thing.kind}, for whose end `{name}` may wait: a plain one has none" for name in waiting)
    if thing.kind in _TO_MEET and _in_turn(thing.name, plan):
        yield f"is for {listed} to meet, some of which start only when others have ended"


def _in_turn(name: str, plan: Plan) -> bool:
    """Whether some users of a thing start in a later wave than others, though they need not wait for them."""
    earlier: set[str] = set()
    for wave in waves(plan.steps):
        users = [step for step in wave if name in shared_by(step)]
        if any(earlier - _needed_by(user, plan) for user in users):
            return True
        earlier.update(user.name for user in users)
    return False


def _needed_by(step: Step, plan: Plan) -> set[str]:
    """The names of the steps that must have ended before `step` starts."""
    return set(step.needs).union(*(_needed_by(plan.step(name), plan) for name in step.needs))
