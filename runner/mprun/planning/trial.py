"""What a trial can't do: it warns of arguments that name a real file whose copy the trial writes elsewhere."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from mprun.plan.plan import Plan, PoolStep, Step, items_of
from mprun.plan.trial import is_trial, steps_before, written_by
from mprun.sources.table import ListSource, whole_of


def trial_warnings(plan: Plan) -> Iterator[str]:
    """Yield a sentence for each argument of a later step that names a file that the trial writes elsewhere."""
    if not is_trial(plan):
        return
    for step in plan.steps:
        written = {path: before.name for before in steps_before(plan, step) for path in written_by(before)}
        for key, value in _literals(step) if written else ():
            if (writer := written.get(_absolute(value, step))) is not None:
                yield (
                    f"`{step.name}` names `{value}` in its `{key}`, and gets the real file: "
                    f"what `{writer}` writes there goes into the folder of this trial"
                )


def _absolute(value: Any, step: Step) -> Any:
    """Return a path as the step's children would find it; a value that is not known before the run stays unchanged."""
    if not isinstance(value, str):
        return value
    return os.path.normpath(os.path.join(step.surroundings.working_dir, value))


def _literals(step: Step) -> Iterator[tuple[str, Any]]:
    """Yield each single value in the arguments of `step`, with its key."""
    source = items_of(step)
    whole = None if source is None else whole_of(source)
    given: dict[str, Any] = {"args": step.args, "kwargs": step.kwargs, "command": step.command}
    if isinstance(step, PoolStep):
        given |= {"initargs": step.initargs}
    if isinstance(whole, ListSource):
        given |= {step.call if isinstance(step, PoolStep) else "foreach": whole.values}
    for key, value in given.items():
        yield from ((key, each) for each in _flat(value))


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        for each in value:
            yield from _flat(each)
    elif isinstance(value, dict):
        yield from _flat(list(value.values()))
    else:
        yield value
