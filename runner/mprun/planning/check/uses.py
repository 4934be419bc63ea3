"""Every use of a target in a plan: the target, its arguments, and the step that names it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from mprun.errors.places import Path
from mprun.format.steps import StepEntry
from mprun.format.workflow import Workflow
from mprun.language.references import Template, is_finals, references_in, step_of
from mprun.language.targets import Target, parse_target
from mprun.plan.child_spec import Retries
from mprun.plan.plan import Plan, PoolStep, ProcessStep, SharedThing, Step, has_one_result, items_of, needed_results
from mprun.planning.check.conversions import form_of
from mprun.sources.grid import times_of, value_key
from mprun.sources.table import CallSource, MatrixSource, ZipSource, whole_of
from mprun.worker.checks.problems import Producer, Use

_NUMPY = parse_target("numpy:ndarray", "")  # importing it may take long, or fail


def uses(plan: Plan, written: Workflow) -> Iterator[tuple[Path, Use]]:
    """Yield each use of a target with the path of its step in the workflow.

    That is: of a target, an initializer, a finalizer, a generator or an exception class. `plan` was made from
    `written`, which has the position of each class in its list. A command is not a target of the user's.
    """
    steps = {step.name: step for step in plan.steps}
    for group, name, entry in written.steps:
        of_step = _uses_of(steps[name], entry) if name in steps else ()
        for number, use in enumerate(of_step):
            rows = _rows(steps[name]) if number == 0 and use.at == ("target",) else ""
            yield (group, name), replace(_with_producers(use, steps[name], steps), rows=rows)
    for thing in plan.shared:
        yield from ((("shared", thing.name), use) for use in _uses_of_thing(thing))


def _uses_of_thing(thing: SharedThing) -> Iterator[Use]:
    if thing.kind == "object":
        (made,) = thing.args
        yield Use(made["call"], ("object", "call"), "once", ("object", "args"), made["args"], made["kwargs"])
    elif thing.kind == "array":
        (made,) = thing.args
        yield Use(_NUMPY, ("array",), "array", kwargs=made)


def _rows(step: Step) -> Literal["", "each", "items"]:
    """Return what the rows of the csv file are that the step saves."""
    path = step.save.parts[-1] if isinstance(step.save, Template) else step.save
    if not isinstance(path, str) or not path.endswith(".csv"):
        return ""
    return "items" if has_one_result(step) else "each"


def _with_producers(use: Use, step: Step, steps: Mapping[str, Step]) -> Use:
    """Return `use` with the steps that its values come from."""
    referred = (
        reference.path[0] for reference in references_in((use.args, use.kwargs)) if reference.scope == "results"
    )
    results = {name: _producer(steps[step_of(name)], name) for name in referred if step_of(name) in steps}
    needed = needed_results(step) if isinstance(step, PoolStep) and use.at == ("target",) else ""
    producer = _producer(steps[step_of(needed)], needed) if step_of(needed) in steps else None
    return replace(use, results=results, items_from=producer)


def _producer(step: Step, results: str) -> Producer:
    """Return what produces `results`, which are the results of `step`, or its finals."""
    if is_finals(results) and isinstance(step, PoolStep):
        return Producer(results, step.finalizer, many=True)
    return Producer(step.name, None if step.command else step.target, many=not has_one_result(step))


def _uses_of(step: Step, entry: StepEntry) -> Iterator[Use]:
    if not step.command:
        yield from _process_uses(step) if isinstance(step, ProcessStep) else _pool_uses(step)
    yield from (*_other_uses(step), *_exception_uses(step.limits.retries, entry))


def _process_uses(step: ProcessStep) -> Iterator[Use]:
    if step.cell == "kwargs" and isinstance(step.cells, MatrixSource | ZipSource):
        yield from _axes_uses(step.target, step.cells, {})
    else:
        yield Use(step.target, ("target",), "once", ("args",), step.args, step.kwargs, form_of(step))


def _pool_uses(step: PoolStep) -> Iterator[Use]:
    source = whole_of(step.source)
    if step.call == "apply":
        yield Use(step.target, ("target",), "once", ("apply", "args"), step.args, step.kwargs)
    elif isinstance(source, MatrixSource | ZipSource):
        yield from _axes_uses(step.target, source, step.kwargs)
    else:
        shape = "star" if step.call == "starmap" else "each"
        items = source.sequence()
        if items is not None:
            yield Use(step.target, ("target",), shape, (step.call,), items, step.kwargs)
        else:
            example = ("text",) if source.traits.items_are in ("paths", "texts") else ()
            unknown = Use(step.target, ("target",), f"{shape}-like", (step.call,), example, step.kwargs)
            yield replace(unknown, mode=form_of(step))


def _axes_uses(target: Target, source: MatrixSource | ZipSource, kwargs: dict[str, Any]) -> Iterator[Use]:
    """Yield the combinations of the axes' values, and each cell that an `include` extends or adds."""
    axes = {name: axis.sequence() or () for name, axis in source.axes}
    same = {name: (value,) for name, value in kwargs.items()}
    if axes:
        yield Use(target, ("target",), "axes", (source.kind,), (), {**axes, **same})
    for index, entry in enumerate(source.include if isinstance(source, MatrixSource) else ()):
        beside = not axes or any(name in axes and not _is_among(value, axes[name]) for name, value in entry.items())
        others = {} if beside else {name: values[:1] for name, values in axes.items()}
        included = {name: (value,) for name, value in entry.items()}
        yield Use(target, ("target",), "axes", (source.kind, "include", index), (), {**others, **included, **same})


def _is_among(value: Any, values: Sequence[Any]) -> bool:
    """Whether the axis has that value, as a matrix compares values: `true` is not `1`."""
    key = value_key(value)
    return times_of(values, [key])[key] > 0


def _other_uses(step: Step) -> Iterator[Use]:
    """Yield the initializer and the finalizer of a pool, and the generator of its items."""
    if isinstance(step, PoolStep) and step.initializer is not None:
        yield Use(step.initializer, ("initializer",), "once", ("initargs",), step.initargs)
    if isinstance(step, PoolStep) and step.finalizer is not None:
        yield Use(step.finalizer, ("finalizer",), "once", ("finalizer",))
    key = step.call if isinstance(step, PoolStep) else "foreach"
    source = items_of(step)
    if source is not None and isinstance(generator := whole_of(source), CallSource):
        yield Use(generator.target, (key, "call"), "generator", (key, "args"), generator.args, generator.kwargs)


def _exception_uses(retries: Retries, entry: StepEntry) -> Iterator[Use]:
    """Yield the exception classes that must be imported. A bare name is one of Python's own, and known already."""
    if entry.retries is None:
        return
    for key, texts, classes in (
        ("on", entry.retries.on, retries.exceptions),
        ("not_on", entry.retries.not_on, retries.not_exceptions),
    ):
        for target in classes:
            if ":" in target.text:
                yield Use(target, ("retries", key, texts.index(target.text)), "exception")
