"""Puts into a plan what is known when its run begins: the run's id and folder, and the secrets.

The plan that is shown and kept beside the log is the one without.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from mprun.language.references import Lookup, Reference, references_in, settle
from mprun.plan.child_spec import Surroundings
from mprun.plan.plan import Plan, PoolStep, Step, items_of
from mprun.sources.table import CallSource, SliceSource, Source, whole_of

_BOUND = ("args", "kwargs", "command", "stdout", "stderr", "inputs", "outputs", "initargs", "save")


def bind(plan: Plan, run: Mapping[str, str]) -> Plan:
    """`plan` with the values of `run` (`id`, `dir`) and of its secrets in the place of what refers to them."""
    known: dict[str, Mapping[str, str]] = {"run": run, "params": plan.secrets}

    def lookup(reference: Reference) -> Any:
        return known.get(reference.scope, {}).get(reference.path[0] if reference.path else "", reference)

    return replace(
        plan,
        surroundings=_around(plan.surroundings, lookup),
        steps=tuple(_step(step, lookup) for step in plan.steps),
    )


def refers_to_folder(plan: Plan) -> bool:
    """Whether `${run.dir}` stands anywhere in `plan`."""
    values: list[Any] = [plan.surroundings.env, *(step.surroundings.env for step in plan.steps)]
    values += [getattr(step, each.name) for step in plan.steps for each in fields(step) if each.name in _BOUND]
    generators = [whole_of(source) for step in plan.steps if (source := items_of(step)) is not None]
    values += [(each.args, each.kwargs) for each in generators if isinstance(each, CallSource)]
    return Reference("run", ("dir",)) in references_in(values)


def _step(step: Step, lookup: Lookup) -> Step:
    bound = {each.name: settle(getattr(step, each.name), lookup) for each in fields(step) if each.name in _BOUND}
    bound["surroundings"] = _around(step.surroundings, lookup)
    if isinstance(step, PoolStep):
        bound["source"] = _generator(step.source, lookup)
    return replace(step, **bound)


def _generator(source: Source, lookup: Lookup) -> Source:
    """`source` with what its generator function is given; items themselves hold nothing that a run begins with."""
    match source:
        case SliceSource(whole):
            return replace(source, source=_generator(whole, lookup))
        case CallSource():
            return replace(source, args=settle(source.args, lookup), kwargs=settle(source.kwargs, lookup))
    return source


def _around(surroundings: Surroundings, lookup: Lookup) -> Surroundings:
    return replace(surroundings, env=settle(surroundings.env, lookup))
