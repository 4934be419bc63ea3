"""Rules about where items come from, how they are used, and keys that would have no effect on them."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from typing import Any, NamedTuple

from mprun.engines.table import USUAL_ENGINE
from mprun.errors.places import Path
from mprun.language.references import FINALS, Reference
from mprun.loading.mistakes import Mistake, short
from mprun.loading.rules.common import Data, StepData, engine_of, steps
from mprun.loading.rules.finals import finalized_pools, finals_of_others, parts_of_lists, pools_without_finals
from mprun.plan.plan import FAN_OUTS, POOL_CALLS
from mprun.sources.table import KEYS

_STREAMING = ("imap", "imap_unordered")
_NO_LISTS = ("numbers", "paths", "texts")


class Items(NamedTuple):
    """What a pool's call, or a `foreach`, has as its items. `source` is its key, if it is a mapping."""

    step: StepData
    key: str
    written: Any

    @property
    def path(self) -> Path:
        return (*self.step.path, self.key)

    @property
    def source(self) -> str:
        written = self.written if isinstance(self.written, dict) else {}
        return next((source for source in KEYS if source in written), "")


def items_of(data: Data) -> Iterator[Items]:
    """Yield everything that gives items one by one."""
    for step in steps(data):
        calls = POOL_CALLS if step.path[0] == "pools" else FAN_OUTS
        for key in calls:
            if key in step.entry and key not in ("apply", "matrix", "zip"):
                yield Items(step, key, step.entry[key])


def modifiers(data: Data) -> Iterator[Mistake]:
    """A key that shapes one kind of source doesn't stand beside another."""
    for each in items_of(data):
        for key in _MODIFIED if each.source else ():
            if key in each.written and key not in KEYS[each.source].TRAITS.modifiers:
                message = f"`{key}` is for {' or '.join(_MODIFIED[key])}, and these items come from `{each.source}`"
                yield Mistake("no-effect", message, (*each.path, key), "key")


def _modified() -> dict[str, list[str]]:
    """Return the sources that each modifier is for, in backquotes."""
    keys = dict.fromkeys(key for kind in KEYS.values() for key in kind.TRAITS.modifiers)
    return {key: [f"`{source}`" for source in KEYS if key in KEYS[source].TRAITS.modifiers] for key in keys}


_MODIFIED = _modified()


def whole_results(data: Data) -> Iterator[Mistake]:
    """The items are all results of a step, or all its finals."""
    finalized, without = finalized_pools(data), pools_without_finals(data)
    for each in items_of(data):
        if isinstance(each.written, Reference) and not _names_finals(each.written, without):
            parts = 2 if _names_finals(each.written, finalized) else 1
            whole = Reference("results", each.written.path[:parts])
            if whole != each.written:
                message = f"the items are all results of a step, not a part of them such as `{each.written}`"
                yield Mistake("reference", message, each.path, advice=f"write `{whole}`")


def _names_finals(reference: Reference, pools: Container[str]) -> bool:
    return reference.path[1:2] == (FINALS,) and reference.path[0] in pools


def lists_for_starmap(data: Data) -> Iterator[Mistake]:
    """Each item of a `starmap` is a list of arguments, or a mapping of them."""
    for each in items_of(data):
        items_are = KEYS[each.source].TRAITS.items_are if each.source else ""
        if each.key == "starmap" and items_are in _NO_LISTS:
            message = f"each item of a `starmap` is a list of arguments, and a `{each.source}` has {items_are}"
            yield Mistake("bad-value", message, (*each.path, each.source), "key", "`map` gives each call one item")


def keywords_of_pools(data: Data) -> Iterator[Mistake]:
    """A pool's `kwargs` stand beside items, and don't name an argument that the items give."""
    for step in steps({"pools": data.get("pools")}):
        kwargs = step.entry.get("kwargs")
        if "kwargs" in step.entry and "apply" in step.entry:
            message = "`apply` has `kwargs` of its own"
            advice = "write `apply: {kwargs: …}`"
            yield Mistake("no-effect", message, (*step.path, "kwargs"), "key", advice)
        kwargs = kwargs if isinstance(kwargs, dict) else {}
        for key in ("matrix", "zip"):
            axes = step.entry.get(key)
            for name in axes if isinstance(axes, dict) else ():
                if name in kwargs:
                    message = f"`{short(name)}` is an axis already: each call is given it by the `{key}`"
                    yield Mistake(
                        "given-twice", message, (*step.path, "kwargs", name), "key", first=(*step.path, key, name)
                    )


def useless_beside(data: Data) -> Iterator[Mistake]:
    """A key that needs several tasks, another key, or an end of the step has these."""
    for step in steps(data):
        many = [key for key in step.entry if key in (*POOL_CALLS, *FAN_OUTS) and key != "apply"]
        for key in ("keys", "chunksize"):
            if key in step.entry and not many and (step.path[0] != "pools" or "apply" in step.entry):
                what = "`apply` is one task" if "apply" in step.entry else "a single process is one task"
                yield Mistake("no-effect", f"`{key}` has no effect: {what}", (*step.path, key), "key")
        if step.path[0] == "pools" and "initargs" in step.entry and "initializer" not in step.entry:
            message = "`initargs` has no effect: there is no `initializer` that takes it"
            yield Mistake("no-effect", message, (*step.path, "initargs"), "key", "add `initializer: module:function`")
        if "save" in step.entry and step.entry.get("daemon") is True:
            message = "a daemon is stopped before it has a result that could be saved"
            yield Mistake("no-effect", message, (*step.path, "save"), "key")


def beyond_the_engine(data: Data) -> Iterator[Mistake]:
    """Some engines read items only in the parent: they have no child for a generator, and no stream."""
    finalized = finalized_pools(data)
    for each in items_of(data):
        if each.step.path[0] != "pools":
            continue
        engine, traits = engine_of(each.step, data)
        if each.source == "call" and "generators" in traits.refuses_items:
            message = f"the engine `{engine}` can't call a generator in a child"
            yield Mistake("engine", message, (*each.path, "call"), "key", f"`engine: {USUAL_ENGINE}` can")
        elif _streams(each, finalized) and "streams" in traits.refuses_items:
            message = f"the engine `{engine}` can't take results while `{each.written.path[0]}` runs"
            advice = f"`needs: {each.written.path[0]}` waits for them; `engine: {USUAL_ENGINE}` needn't"
            yield Mistake("engine", message, each.path, advice=advice)


def _streams(each: Items, finalized: Container[str]) -> bool:
    return isinstance(each.written, Reference) and each.key in _STREAMING and not _waits(each, finalized)


def _waits(each: Items, finalized: Container[str]) -> bool:
    """Return whether the items are used only when the step that gives them has ended. Finals exist only then."""
    needs = each.step.entry.get("needs")
    named = [needs] if isinstance(needs, str) else needs if isinstance(needs, list | dict) else ()
    return _names_finals(each.written, finalized) or each.written.path[0] in named


SOURCE_RULES: tuple[Callable[[Data], Iterator[Mistake]], ...] = (
    modifiers,
    whole_results,
    finals_of_others,
    parts_of_lists,
    lists_for_starmap,
    keywords_of_pools,
    useless_beside,
    beyond_the_engine,
)
