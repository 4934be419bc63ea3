"""Which steps convert their arguments in the child, and from what. Known once the targets are checked."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from mprun.plan.child_spec import Converts
from mprun.plan.plan import Plan, Step, items_of


def with_conversion(plan: Plan, converting: Collection[str]) -> Plan:
    """Return `plan` with the steps in `converting` marked."""
    return replace(plan, steps=tuple(_marked(step) if step.name in converting else step for step in plan.steps))


def _marked(step: Step) -> Step:
    return replace(step, converts=form_of(step))


def form_of(step: Step) -> Converts:
    """Return `text` if the arguments come from a file in which everything is text, else `strict`."""
    source = items_of(step)
    return "text" if source is not None and source.traits.all_text else "strict"
