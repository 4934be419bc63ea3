"""Which steps convert their arguments in the child, and from what. Known once the targets are checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mprun.errors.places import Path
from mprun.plan.child_spec import Converts
from mprun.plan.plan import Plan, SharedThing, Step, items_of

Converting = Mapping[Path, bool]  # by the path of a step or a shared thing: whether an argument becomes another value


def with_conversion(plan: Plan, converting: Converting) -> Plan:
    """Return `plan` with the steps and the shared things in `converting` marked."""
    steps = {path[-1]: changes for path, changes in converting.items() if path[0] != "shared"}
    things = {path[-1]: changes for path, changes in converting.items() if path[0] == "shared"}
    return replace(
        plan,
        steps=tuple(_marked(step, steps[step.name]) if step.name in steps else step for step in plan.steps),
        shared=tuple(_marked_thing(thing, things.get(thing.name, False)) for thing in plan.shared),
    )


def _marked(step: Step, changes: bool) -> Step:
    return replace(step, converts=form_of(step) if changes else "check")


def _marked_thing(thing: SharedThing, changes: bool) -> SharedThing:
    return replace(thing, converts="strict") if changes else thing


def form_of(step: Step) -> Converts:
    """Return `text` if the arguments come from a file in which everything is text, `data` if from one of values, else
    `strict`."""
    source = items_of(step)
    if source is None or source.traits.found_in != "file":
        return "strict"
    return "text" if source.traits.all_text else "data"
