"""Every use of a target in a plan: what is called, with what, and which step of the file says so."""

from __future__ import annotations

from collections.abc import Iterator

from mprun.places import Path
from mprun.plan import Plan, PoolStep, ProcessStep
from mprun.sources import ListSource, RangeSource
from mprun.worker.problems import Use


def uses(plan: Plan) -> Iterator[tuple[Path, Use]]:
    """(the step's path in the workflow, what it calls) for each target and each initializer."""
    for step in plan.steps:
        if isinstance(step, ProcessStep):
            yield ("processes", step.name), Use(step.target, "target", "once", ("args",), step.args, step.kwargs)
        else:
            yield ("pools", step.name), _pool_use(step)
            if step.initializer is not None:
                yield ("pools", step.name), Use(step.initializer, "initializer", "once", ("initargs",), step.initargs)


def _pool_use(step: PoolStep) -> Use:
    if step.call == "apply":
        return Use(step.target, "target", "once", ("apply", "args"), step.args, step.kwargs)
    shape = "star" if step.call == "starmap" else "each"
    if isinstance(step.source, ListSource):
        return Use(step.target, "target", shape, (step.call,), step.source.values)
    example = 0 if isinstance(step.source, RangeSource) else "text"
    return Use(step.target, "target", f"{shape}-like", (step.call,), (example,))
