"""The table of supplies: which one gives a pool its items."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mprun.engines.seam import Run
from mprun.engines.supply.results import FinishedResults, ListedItems, StreamedResults
from mprun.engines.supply.supply import SlicedSupply, SourceSupply, Supply
from mprun.plan.plan import ProcessStep, Step, gives_one, streamed_step
from mprun.sources.table import ListSource, SliceSource, Source


def supply_of(run: Run, step: Step) -> Supply:
    """Return the items of a pool or the cells of a fan-out. No child works for them yet.

    An `apply` has one item: the arguments of its call. A single process has none.
    """
    if isinstance(step, ProcessStep):
        return Supply() if step.cells is None else _supply(run, step, step.cells)
    if step.call == "apply":
        return SourceSupply(ListSource(((step.args, step.kwargs),)))
    return _supply(run, step, step.source)


def _supply(run: Run, step: Step, source: Source) -> Supply:
    if not source.needs_a_run:
        return SourceSupply(source)
    if isinstance(source, SliceSource):
        return SlicedSupply(_supply(run, step, source.source), source.skip, source.first)
    return OF_A_RUN[source.kind](run, step, source)


def _yielded(run: Run, step: Step, source: Any) -> Supply:
    from mprun.engines.supply.generators import CallSupply  # which few workflows need

    return CallSupply(run, step, source)


def _results_of(run: Run, step: Step, source: Any) -> Supply:
    needed: str = source.step
    results, streams = run.store.of(needed), streamed_step(run.plan, step)
    if results is None:  # it was skipped, or could not begin to keep them
        return Supply(f"`{needed}` has none" if streams else "")
    if gives_one(run.plan, needed):
        return ListedItems(results, needed)
    if streams:
        return StreamedResults(
            results,
            source=needed,
            consumer=step.name,
            must_succeed=step.needs.get(needed) == "succeeded",
            may_fail=run.plan.step(needed).limits.continue_on_error,
        )
    return FinishedResults(results, step.name)


OF_A_RUN: dict[str, Callable[[Run, Step, Any], Supply]] = {"call": _yielded, "results": _results_of}
"""What gives the items of a source that needs a run, by its kind."""
