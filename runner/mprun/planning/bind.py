"""Puts into a plan what is known when its run begins: the run's id and folder, and the secrets.

The plan that is shown, and stored beside the log, doesn't have these values.
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
    """Return `plan` with its references to `run` (`id`, `dir`) and to secrets replaced by their values."""
    known: dict[str, Mapping[str, str]] = {"run": run, "params": plan.secrets}

    def lookup(reference: Reference) -> Any:
        return known.get(reference.scope, {}).get(reference.path[0] if reference.path else "", reference)

    return replace(
        plan,
        surroundings=_around(plan.surroundings, lookup),
        steps=tuple(_step(step, lookup) for step in plan.steps),
    )


def refers_to_folder(plan: Plan) -> bool:
    """Return whether `plan` contains `${run.dir}`."""
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
    """Return `source` with the arguments of its generator function bound. Items refer to nothing that is known here."""
    match source:
        case SliceSource(whole):
            return replace(source, source=_generator(whole, lookup))
        case CallSource():
            return replace(source, args=settle(source.args, lookup), kwargs=settle(source.kwargs, lookup))
    return source


def _around(surroundings: Surroundings, lookup: Lookup) -> Surroundings:
    return replace(surroundings, env=settle(surroundings.env, lookup))
