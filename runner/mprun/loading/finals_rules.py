"""Rules about the finals of pools: only one with a `finalizer` has some."""

from __future__ import annotations

from collections.abc import Iterator

from mprun.loading.mistakes import Mistake, short
from mprun.loading.rules import Data, results_in, steps
from mprun.references import FINALS


def finalized_pools(data: Data) -> set[str]:
    """The pools that have a `finalizer`."""
    return {step.name for step in steps({"pools": data.get("pools")}) if step.entry.get("finalizer")}


def pools_without_finals(data: Data) -> set[str]:
    """Those that have none. (Where an `apply` has none, a part of what it returns may be called so.)"""
    pools = steps({"pools": data.get("pools")})
    return {step.name for step in pools if not step.entry.get("finalizer") and "apply" not in step.entry}


def finals_of_others(data: Data) -> Iterator[Mistake]:
    """A reference to the finals of a pool that has none."""
    without = pools_without_finals(data)
    for step in steps(data):
        for reference, path in results_in(step.entry, step.path):
            if reference.path[1:2] == (FINALS,) and reference.path[0] in without:
                name = short(reference.path[0])
                told = f"`{name}` has no finals: they are what the `finalizer` of a pool returns"
                advice = f"add `finalizer: module:function` to `{name}`"
                yield Mistake("reference", told, path, advice=advice, near=str(reference))
