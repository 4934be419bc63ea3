"""The table of supplies: which one gives a pool its items."""

from __future__ import annotations

from mprun.engines.seam import Run
from mprun.engines.supply.results import FinishedResults, ListedItems, StreamedResults
from mprun.engines.supply.supply import SlicedSupply, SourceSupply, Supply
from mprun.plan.plan import ProcessStep, Step, gives_one, streamed_step
from mprun.sources.table import CallSource, ListSource, ResultsSource, SliceSource, Source, whole_of


def supply_of(run: Run, step: Step) -> Supply:
    """The items of a pool or the cells of a fan-out, nothing of which is at work yet.

    An `apply` has one: the arguments of its call. A single process has none.
    """
    if isinstance(step, ProcessStep):
        return Supply() if step.cells is None else _supply(run, step, step.cells)
    if step.call == "apply":
        return SourceSupply(ListSource(((step.args, step.kwargs),)))
    return _supply(run, step, step.source)


def _supply(run: Run, step: Step, source: Source) -> Supply:
    match source:
        case CallSource():
            from mprun.engines.supply.generators import CallSupply

            return CallSupply(run, step, source)
        case ResultsSource(needed):
            return _results_of(run, step, needed)
        case SliceSource(whole, skip, first) if needs_a_run(whole):
            return SlicedSupply(_supply(run, step, whole), skip, first)
    return SourceSupply(source)


def needs_a_run(source: Source) -> bool:
    """Whether `source`, or what it is a part of, has items only while a run goes on."""
    return isinstance(whole_of(source), CallSource | ResultsSource)


def _results_of(run: Run, step: Step, needed: str) -> Supply:
    results, streams = run.store.of(needed), streamed_step(run.plan, step)
    if results is None:  # it was skipped, or could not begin to keep them
        return Supply(f"`{needed}` has none" if streams else "")
    if gives_one(run.plan, needed):
        return ListedItems(results, needed)
    if streams:
        return StreamedResults(
            results, source=needed, consumer=step.name, must_succeed=step.needs.get(needed) == "succeeded"
        )
    return FinishedResults(results)
