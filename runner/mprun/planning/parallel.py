"""`max_parallel` from the command line: put into the plan, if what the plan starts at once has room."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TypeGuard

from mprun.engines.table import POOL_ENGINES
from mprun.errors.exceptions import UsageError
from mprun.plan.plan import Plan, PoolStep, ProcessStep, Step


def with_max_parallel(plan: Plan, most: int) -> Plan:
    """Return `plan` with at most `most` running children. Raises UsageError if it could never end like that."""
    narrow = next(_too_narrow(plan, most), "")
    if narrow:
        raise UsageError(f"`--max-parallel {most}` is too few: {narrow}")
    return replace(plan, max_parallel=most)


def _too_narrow(plan: Plan, most: int) -> Iterator[str]:
    """Yield what is wrong, by the same rules as `loading.rules.limits.room_to_work` has for the file."""
    daemons = sum(isinstance(step, ProcessStep) and step.daemon for step in plan.steps)
    if most <= daemons < len(plan.steps):
        yield "daemons run until the end and count too: no other step would ever start"
    for step in plan.steps:
        if _starts_all_at_once(step) and step.processes > most - daemons:
            yield f"the engine `{step.engine}` starts all {step.processes} workers of `{step.name}` at once"


def _starts_all_at_once(step: Step) -> TypeGuard[PoolStep]:
    return isinstance(step, PoolStep) and POOL_ENGINES[step.engine].starts_all_at_once
