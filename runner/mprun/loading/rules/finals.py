"""Rules about parts of results: finals, which only a pool with a `finalizer` has, and items of lists."""

from __future__ import annotations

from collections.abc import Iterator

from mprun.errors.places import Path
from mprun.language.references import FINALS, Reference
from mprun.loading.mistakes import Mistake, short
from mprun.loading.rules.common import Data, StepData, results_in, steps
from mprun.loading.suggestions import did_you_mean, suggest
from mprun.plan.plan import FAN_OUTS, POOL_CALLS


def finalized_pools(data: Data) -> set[str]:
    """Return the pools with a `finalizer`."""
    return {step.name for step in steps({"pools": data.get("pools")}) if step.entry.get("finalizer")}


def pools_without_finals(data: Data) -> set[str]:
    """Return the pools without a `finalizer`.

    A pool with `apply` is not among them: a part of what it returns may have that name.
    """
    pools = steps({"pools": data.get("pools")})
    return {step.name for step in pools if not step.entry.get("finalizer") and "apply" not in step.entry}


def finals_of_others(data: Data) -> Iterator[Mistake]:
    """A reference to finals names a pool that has some."""
    without = pools_without_finals(data)
    for step in steps(data):
        for reference, path in results_in(step.entry, step.path):
            if reference.path[1:2] == (FINALS,) and reference.path[0] in without:
                name = short(reference.path[0])
                message = f"`{name}` has no finals: they are what the `finalizer` of a pool returns"
                advice = f"add `finalizer: module:function` to `{name}`"
                yield Mistake("reference", message, path, advice=advice, near=str(reference))


def parts_of_lists(data: Data) -> Iterator[Mistake]:
    """A reference to a part of a list has an index. Another rule reports parts as items."""
    producers = {step.name: step for step in steps(data)}
    for step in steps(data):
        for reference, path in results_in(step.entry, step.path):
            producer = producers.get(reference.path[0])
            if producer and not _are_items(step, path) and (part := _misnamed(reference, producer)):
                finals = [FINALS] if producer.entry.get("finalizer") else []
                message = f"`{short(str(reference))}` leads nowhere: it has no `{short(part)}`, as it is a list"
                advice = did_you_mean(suggest(part, finals)) or "its parts are called 0, 1, 2, …"
                yield Mistake("unknown-reference", message, path, advice=advice, near=str(reference))


def _are_items(step: StepData, path: Path) -> bool:
    return len(path) == len(step.path) + 1 and path[-1] in (*POOL_CALLS, *FAN_OUTS)


def _misnamed(reference: Reference, producer: StepData) -> str:
    """Return the first part of `reference` that follows a list of `producer` and is not a number; else an empty
    text."""
    _, *parts = reference.path
    if producer.path[0] == "pools" and parts[:1] == [FINALS]:
        parts = parts[1:] if producer.entry.get("finalizer") else []
    elif not _gives_a_list(producer):
        return ""
    return parts[0] if parts and not parts[0].removeprefix("-").isdecimal() else ""


def _gives_a_list(step: StepData) -> bool:
    if step.path[0] == "pools":
        return "apply" not in step.entry
    return any(key in step.entry for key in FAN_OUTS)
