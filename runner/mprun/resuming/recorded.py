"""One call of an earlier run, with the arguments that it had: found by what its item was, not by where that stood."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from mprun.engines.results.tracking import contents_of
from mprun.engines.supply.supply import SourceSupply
from mprun.errors.exceptions import UsageError
from mprun.language.references import is_finals, references_in, step_of
from mprun.plan.cells import find_cell
from mprun.plan.digests import SIZE, content_digest
from mprun.plan.plan import PoolStep, ProcessStep, Step, command_arguments, items_of
from mprun.resuming.earlier import EarlierRun, EarlierStep
from mprun.sources.table import ResultsSource, SliceSource, Source, whole_of
from mprun.worker.calls.calling import arguments_of
from mprun.worker.calls.calls import resolve_converting
from mprun.worker.calls.scope import Scope

AT_ONCE = 1000  # items

Load = Callable[[], Any]
Facts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Address:
    """Which call is meant: of the step `step`, at `index` (None for the one call of a process)."""

    step: str
    index: int | None


def read_address(text: str, steps: Mapping[str, Step], run: EarlierRun) -> Address:
    """`step[4]`, `step@cell`, or the name of a step that has one call. Raises UsageError.

    A cell is the one that has that label now; its content says where `run` had it.
    """
    name, at, label = text.partition("@")
    bare, bracket, number = name.partition("[")
    step = steps.get(bare)
    if step is None:
        raise UsageError(f"there is no step `{bare}`: there is {', '.join(steps)}")
    if at:
        return Address(bare, _cell(run, step, label))
    if bracket:
        if not number.endswith("]") or not number[:-1].isdecimal():
            raise UsageError(f"`{text}` is not a task: write `{bare}[0]`")
        return Address(bare, int(number[:-1]))
    if items_of(step) is not None and not (isinstance(step, PoolStep) and step.call == "apply"):
        if run.calls(bare) != 1:
            raise UsageError(f"`{bare}` makes several calls: which of them, such as `{bare}[0]`?")
        return Address(bare, 0)
    return Address(bare, None)


def _cell(run: EarlierRun, step: Step, label: str) -> int:
    cells = items_of(step)
    if not isinstance(step, ProcessStep) or cells is None or cells.needs_a_run:
        raise UsageError(f"`{step.name}` has no cells with labels: write `{step.name}[0]`")
    found = find_cell(cells, label, step.keys)
    if found is None:
        raise UsageError(f"`{step.name}` has no cell `{label}`")
    digest, _ = next(_items(SliceSource(cells, found[0], 1)))
    index = _earlier(run, step).position(digest)
    if index < 0:
        raise UsageError(f"the run {run.run_id} had no cell `{step.name}@{label}`, or it was another one then")
    return index


def recorded_arguments(
    run: EarlierRun, step: Step, index: int | None, facts: Facts
) -> tuple[Sequence[Any], Mapping[str, Any]]:
    """The arguments of a call, which are loaded in this process. Raises UsageError where they can't be had any more.

    `step` is as the workflow has it now, with the values of secrets; `facts` is what `${run.…}` stands for.
    """
    source = items_of(step)
    if isinstance(step, PoolStep) and step.call == "apply":
        args, kwargs = _scope(run, facts, (step.args, step.kwargs), {}).evaluate((step.args, step.kwargs))
        return args, kwargs
    item = None if source is None else _item(run, step, source, index or 0)
    if isinstance(step, PoolStep):
        scope = _scope(run, facts, (step.kwargs, item), {})
        return arguments_of(step.call, scope.evaluate(step.kwargs))(scope.evaluate(item))
    given = {"item": item} if step.cell == "item" else {"matrix": item} if step.cell == "matrix" else {}
    args = command_arguments(step) or step.args
    kwargs = item if step.cell == "kwargs" else step.kwargs
    args, kwargs = _scope(run, facts, (args, kwargs), given).evaluate((args, kwargs))
    return args, kwargs


def set_up(step: PoolStep, run: EarlierRun, facts: Facts) -> None:
    """Call the pool's initializer, if it has one. Raises what that raises."""
    if step.initializer is not None:
        initargs = _scope(run, facts, step.initargs, {}).evaluate(step.initargs)
        resolve_converting(step.initializer, step.converts and "strict")(*initargs)


def _item(run: EarlierRun, step: Step, source: Source, index: int) -> Any:
    digest = _earlier(run, step).digests[index * SIZE : (index + 1) * SIZE]
    if not digest:
        raise UsageError(f"the run {run.run_id} has no task `{step.name}[{index}]`")
    items = _items_of_run(run, source) if source.needs_a_run else _items(source)
    for item_digest, load in items:
        if item_digest == digest:
            return load()
    raise UsageError(f"the item of `{step.name}[{index}]` is not among its items any more: they have changed")


def _earlier(run: EarlierRun, step: Step) -> EarlierStep:
    earlier = next((each for each in run.steps if each.name == step.name), None)
    if earlier is None:
        raise UsageError(f"the run {run.run_id} never came to `{step.name}`")
    return earlier


def _items(source: Source) -> Iterator[tuple[bytes, Load]]:
    """The digest of each item, and what gives it."""
    supply = SourceSupply(source)
    contents = contents_of(supply)
    of_piece = _itself if supply.decoding is None else supply.decoding.value
    while items := supply.take(AT_ONCE):
        for content, item in zip(contents(items), items, strict=True):
            yield content_digest(content), partial(of_piece, item)


def _itself(item: Any) -> Any:
    return item


def _items_of_run(run: EarlierRun, source: Source) -> Iterator[tuple[bytes, Load]]:
    """Those that were results of another step."""
    whole = whole_of(source)
    if not isinstance(whole, ResultsSource):
        raise UsageError("its items come from a generator, which only a run calls: `mprun run --inline` makes them all")
    needed = _step(run, whole.step)
    if needed.has_one_result:
        listed = needed.load(0)
        digest = content_digest(needed.content(0))
        for number, item in enumerate(listed):
            yield content_digest(digest + b"%d" % number), partial(_itself, item)
        return
    for number in needed.kept():
        yield content_digest(needed.content(number)), partial(needed.load, number)
    yield content_digest(b""), partial(_itself, None)  # a task without a result


def _step(run: EarlierRun, name: str) -> EarlierStep:
    found = next((each for each in run.steps if each.name == step_of(name)), None)
    if found is not None and is_finals(name):
        found = EarlierStep(run, name, found.note)
    if found is None or not found.kept():
        raise UsageError(f"the run {run.run_id} has no results of `{name}`")
    return found


class _Results:
    """In the place of `results.Stored`."""

    def __init__(self, step: EarlierStep) -> None:
        self._step = step

    def load(self) -> Any:
        if self._step.has_one_result:
            return self._step.load(0)
        if is_finals(self._step.name):
            return list(map(self._step.load, sorted(self._step.kept())))
        last = max(self._step.kept())
        return [self._step.load(number) if number in self._step.kept() else None for number in range(last + 1)]


def _scope(run: EarlierRun, facts: Facts, value: Any, given: dict[str, Any]) -> Scope:
    names = {reference.path[0] for reference in references_in(value) if reference.scope == "results"}
    results: dict[str, Any] = {name: _Results(_step(run, name)) for name in names}
    return Scope(results=results, given={"run": facts, **given})
