"""Which steps convert their arguments in the child, and from what: known once the targets have been looked at."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from mprun.handed import Converts
from mprun.plan import Plan, PoolStep, Step
from mprun.sources import CsvSource, LinesSource, SliceSource, Source


def with_conversion(plan: Plan, converting: Collection[str]) -> Plan:
    """`plan` with the steps named in `converting` marked so."""
    return replace(plan, steps=tuple(_marked(step) if step.name in converting else step for step in plan.steps))


def _marked(step: Step) -> Step:
    return replace(step, converts=form_of(step))


def form_of(step: Step) -> Converts:
    """`text` where the arguments come from a file in which everything is text, else `strict`."""
    source = step.source if isinstance(step, PoolStep) else step.cells
    return "text" if source is not None and _is_text(source) else "strict"


def _is_text(source: Source) -> bool:
    return isinstance(source, CsvSource | LinesSource) or (isinstance(source, SliceSource) and _is_text(source.source))
