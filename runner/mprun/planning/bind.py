"""Puts into a plan what is known when its run begins: the run's id and folder, and the secrets.

The plan that is shown and kept beside the log is the one without.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from mprun.handed import Surroundings
from mprun.plan import Plan, Step
from mprun.references import Lookup, Reference, references_in, settle

_BOUND = ("args", "kwargs", "command", "initargs", "save")


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
    values = [plan.surroundings.env, *(step.surroundings.env for step in plan.steps)]
    values += [getattr(step, each.name) for step in plan.steps for each in fields(step) if each.name in _BOUND]
    return Reference("run", ("dir",)) in references_in(values)


def _step(step: Step, lookup: Lookup) -> Step:
    bound = {each.name: settle(getattr(step, each.name), lookup) for each in fields(step) if each.name in _BOUND}
    return replace(step, surroundings=_around(step.surroundings, lookup), **bound)


def _around(surroundings: Surroundings, lookup: Lookup) -> Surroundings:
    return replace(surroundings, env=settle(surroundings.env, lookup))
