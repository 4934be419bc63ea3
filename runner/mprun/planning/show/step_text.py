"""A step in words: its call as Python would write it on one line, and the number of its items with its origin."""

from __future__ import annotations

from dataclasses import replace
from math import prod

from mprun.language.references import is_finals, step_of
from mprun.language.targets import Target
from mprun.plan.plan import PoolStep, ProcessStep, Step, command_text
from mprun.planning.show.call_text import call_arguments, process_arguments
from mprun.planning.show.items_code import Writing, items_code, keywords
from mprun.planning.show.source_text import Code, call, flat, literal, quoted
from mprun.sources.table import MatrixSource, Source, ZipSource

ITEMS_SHOWN = 8


def call_text(step: Step, folder: str) -> str:
    """Return the call as Python would write it on one line. A long list shows only its first items."""
    if isinstance(step, ProcessStep):
        return _process_text(step, Writing(folder, _qualname, _results, most=ITEMS_SHOWN))
    writing = Writing(folder, _qualname, _results, step.call == "starmap", ITEMS_SHOWN)
    arguments = call_arguments(step, _function(step), _pool_items(step, writing))
    return flat(call(f"Pool({step.processes}).{step.call}", arguments))


def _process_text(step: ProcessStep, writing: Writing) -> str:
    given = process_arguments(step, step.target.qualname)
    if step.cell == "kwargs":
        given.insert(1, "kwargs=cell")
    one = command_text(step.command) if step.command else flat(call("Process", given))
    return f"{one} for {_CELLS[step.cell]} in {flat(items_code(step.cells, writing))}" if step.cells else one


_CELLS = {"item": "item", "matrix": "matrix", "kwargs": "cell"}


def _function(step: PoolStep) -> Code:
    """Return what is called with each item, with the arguments that all calls share; a command as one types it."""
    if step.command:
        return command_text(step.command)
    same = step.kwargs if step.call != "apply" else {}
    return call("partial", [step.target.qualname, *keywords(same)]) if same else step.target.qualname


def _pool_items(step: PoolStep, writing: Writing) -> Code:
    """Return the items; for a matrix or a zip, the axes by name."""
    source = step.source
    if step.call not in ("matrix", "zip") or not isinstance(source, MatrixSource | ZipSource):
        return items_code(source, writing)
    axes = ", ".join(f"{name}={flat(items_code(axis, writing))}" for name, axis in source.axes)
    return f"{axes}{_changed(source)}"


def _changed(source: MatrixSource | ZipSource) -> str:
    if isinstance(source, ZipSource):
        return ""
    given = {"include": source.include, "exclude": source.exclude}
    return "".join(f", {key}={flat(literal(list(entries)))}" for key, entries in given.items() if entries)


def size_text(source: Source) -> str:
    """Return the number of items; for a matrix, with its calculation: `3 × 3 − 1 = 8`."""
    count = source.count()
    if count is None:
        return "?"
    if not isinstance(source, MatrixSource) or not source.axes:
        return f"{count:,}"
    lengths = [axis.count() or 0 for _, axis in source.axes]
    left = replace(source, include=()).count() or 0
    excluded, added = prod(lengths) - left, count - left
    changed = f" − {excluded:,}" * bool(excluded) + f" + {added:,}" * bool(added)
    if len(lengths) == 1 and not changed:
        return f"{count:,}"
    return f"{' × '.join(f'{length:,}' for length in lengths)}{changed} = {count:,}"


def _qualname(target: Target) -> str:
    return target.qualname


def _results(step: str) -> str:
    return f"finals[{quoted(step_of(step))}]" if is_finals(step) else f"results[{quoted(step)}]"
