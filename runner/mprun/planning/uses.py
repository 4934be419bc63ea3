"""Every use of a target in a plan: what is named, what it is called with, and which step of the file says so."""

from __future__ import annotations

from collections.abc import Iterator

from mprun.models.steps import StepEntry
from mprun.models.workflow import Workflow
from mprun.places import Path
from mprun.plan import Plan, PoolStep, ProcessStep, Retries
from mprun.planning.converting import form_of
from mprun.sources import ListSource, RangeSource
from mprun.worker.problems import Use


def uses(plan: Plan, written: Workflow) -> Iterator[tuple[Path, Use]]:
    """(the step's path in the workflow, what it names) for each target, each initializer and each exception class.

    `written` is what `plan` was made of: it knows where in its list a class stands.
    """
    for step in plan.steps:
        if isinstance(step, ProcessStep):
            path: Path = ("processes", step.name)
            yield path, Use(step.target, ("target",), "once", ("args",), step.args, step.kwargs)
            entry: StepEntry = written.processes[step.name]
        else:
            path = ("pools", step.name)
            yield path, _pool_use(step)
            if step.initializer is not None:
                yield path, Use(step.initializer, ("initializer",), "once", ("initargs",), step.initargs)
            entry = written.pools[step.name]
        for use in _exception_uses(step.limits.retries, entry):
            yield path, use


def _exception_uses(retries: Retries, entry: StepEntry) -> Iterator[Use]:
    """The classes that must be imported; those written by name alone are Python's own, and known already."""
    if entry.retries is None:
        return
    for key, texts, classes in (
        ("on", entry.retries.on, retries.exceptions),
        ("not_on", entry.retries.not_on, retries.not_exceptions),
    ):
        for target in classes:
            if ":" in target.text:
                yield Use(target, ("retries", key, texts.index(target.text)), "exception")


def _pool_use(step: PoolStep) -> Use:
    if step.call == "apply":
        return Use(step.target, ("target",), "once", ("apply", "args"), step.args, step.kwargs)
    shape = "star" if step.call == "starmap" else "each"
    if isinstance(step.source, ListSource):
        return Use(step.target, ("target",), shape, (step.call,), step.source.values)
    if isinstance(step.source, RangeSource):
        numbers = range(step.source.start, step.source.stop, step.source.step)
        return Use(step.target, ("target",), shape, (step.call,), numbers)
    return Use(step.target, ("target",), f"{shape}-like", (step.call,), ("text",), mode=form_of(step))
