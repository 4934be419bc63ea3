"""Rules about `foreach`, `matrix` and `zip`: what they combine, and what would have no effect or be far too much."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from mprun.errors.places import Path
from mprun.format.items import NumbersFrom
from mprun.loading.mistakes import Mistake, found, short
from mprun.loading.rules.common import Data, StepData, steps
from mprun.loading.suggestions import did_you_mean, suggest
from mprun.plan.plan import FAN_OUTS
from mprun.planning.build.items import axis_of
from mprun.sources.grid import value_key
from mprun.sources.table import MAX_AXES, MatrixSource, Site, Source, ZipSource

MAX_CELLS = 10_000  # cells of a fan-out of processes; each is a child that must start

_NOT_AXES = ("include", "exclude")
_NOWHERE = Site("", "")  # an axis has no path, so the folder doesn't matter


class AxisValues:
    """The values of an axis, and whether a value is among them, with equality as in YAML."""

    def __init__(self, source: Source, values: Sequence[Any]) -> None:
        self.source = source
        self.values = values
        self._keys: set[Hashable] = set()

    def __len__(self) -> int:
        return len(self.values)

    def __contains__(self, value: Any) -> bool:
        key = value_key(value)
        if isinstance(self.values, range):
            return isinstance(key, int) and key in self.values
        self._keys = self._keys or set(map(value_key, self.values))
        return key in self._keys


class FanOut(NamedTuple):
    """A `foreach`, `matrix` or `zip` as parsed. `axes` are those with readable values."""

    step: StepData
    key: str
    written: Any
    axes: dict[str, AxisValues]

    @property
    def path(self) -> Path:
        return (*self.step.path, self.key)

    @property
    def is_whole(self) -> bool:
        """Whether every axis is readable. Other rules report what is wrong."""
        names = [name for name in self.written if name not in _NOT_AXES] if isinstance(self.written, dict) else []
        return bool(names) and len(names) == len(self.axes)


def _fan_outs(data: Data, *keys: str) -> Iterator[FanOut]:
    for step in steps(data):
        for key in keys:
            written = step.entry.get(key)
            if key in step.entry:
                yield FanOut(step, key, written, _axes(written) if key != "foreach" else {})


def _axes(written: Any) -> dict[str, AxisValues]:
    entries = written.items() if isinstance(written, dict) else ()
    axes = {name: _values(axis) for name, axis in entries if name not in _NOT_AXES and isinstance(name, str)}
    return {name: values for name, values in axes.items() if values is not None}


def _values(written: Any) -> AxisValues | None:
    """Return the values of a list, or of a source that may be an axis; None if it can't be read."""
    try:
        axis = NumbersFrom.model_validate(written) if isinstance(written, dict) else written
    except ValueError:
        return None
    source = axis_of(axis, _NOWHERE) if isinstance(axis, list | NumbersFrom) else None
    values = None if source is None else source.sequence()
    return None if source is None or values is None else AxisValues(source, values)


def one_fan_out(data: Data) -> Iterator[Mistake]:
    """A process has at most one fan-out, and `max_parallel` only with one."""
    for step in steps({group: entries for group, entries in data.items() if group != "pools"}):
        written = [key for key in step.entry if key in FAN_OUTS]
        for key in written[1:]:
            message = f"a process fans out once: `{written[0]}` is here already, `{key}` too"
            yield Mistake("two-fan-outs", message, (*step.path, key), "key", first=(*step.path, written[0]))
        if not written and "max_parallel" in step.entry:
            message = "`max_parallel` has no effect on a single process"
            advice = "it is for `foreach`, `matrix` and `zip`"
            yield Mistake("no-effect", message, (*step.path, "max_parallel"), "key", advice)


def some_items(data: Data) -> Iterator[Mistake]:
    """A fan-out has at least one item."""
    for each in _fan_outs(data, *FAN_OUTS):
        items = _values(each.written) if each.key == "foreach" else None
        if items is not None and len(items) == 0:
            yield Mistake("empty", "`foreach` has no items: there would be no process", each.path)
        if each.key in ("matrix", "zip") and isinstance(each.written, dict):
            if not each.written.keys() - {"exclude"} and not each.written.get("include"):
                yield Mistake("empty", f"`{each.key}` has no axes", each.path, "key", "an axis is `name: [values]`")
            for name, values in each.axes.items():
                if len(values) == 0:
                    message = f"the axis `{short(name)}` has no values: there would be no combination"
                    yield Mistake("empty", message, (*each.path, name))


def names_of_axes(data: Data) -> Iterator[Mistake]:
    """The axes of a matrix have names of arguments, and there are not too many of them."""
    for each in _fan_outs(data, "matrix"):
        names = [name for name in each.written if name not in _NOT_AXES] if isinstance(each.written, dict) else []
        for name in names:
            if not isinstance(name, str) or not name.isidentifier():
                message = f"`{short(name)}` can't be the name of an axis"
                yield Mistake("bad-name", message, (*each.path, name), "key", "a Python name is needed")
        if len(names) > MAX_AXES:
            yield Mistake(
                "too-many-axes", f"a matrix has at most {MAX_AXES} axes", (*each.path, names[MAX_AXES]), "key"
            )


def equal_lengths(data: Data) -> Iterator[Mistake]:
    """The lists of a `zip` have equal lengths."""
    for each in _fan_outs(data, "zip"):
        lengths = {name: len(values) for name, values in each.axes.items() if len(values)}
        if len(set(lengths.values())) > 1:
            listed = ", ".join(f"`{name}` has {length:,}" for name, length in list(lengths.items())[:8])
            yield Mistake("unequal-lengths", f"`zip` takes lists of equal lengths: {listed}", each.path, "key")


def exclusions(data: Data) -> Iterator[Mistake]:
    """An entry of `exclude` names existing axes with existing values, and excludes something."""
    for each in _fan_outs(data, "matrix"):
        for path, entry in _entries(each, "exclude"):
            wrong = [mistake for axis in entry for mistake in _excluded(each, path, axis, entry[axis])]
            yield from wrong
            if each.is_whole and not wrong and not entry:
                yield Mistake("no-effect", "an entry of `exclude` without an axis takes nothing away", path)


def _excluded(each: FanOut, path: Path, axis: Any, written: Any) -> Iterator[Mistake]:
    if axis not in each.axes:
        if each.is_whole:
            yield _no_axis(each, (*path, axis))
        return
    values = each.axes[axis]
    listed: Iterable[tuple[Any, Any]] = enumerate(written) if isinstance(written, list) else [(None, written)]
    for index, value in listed:
        if value not in values:
            yield _no_value(axis, value, values.values, (*path, axis) if index is None else (*path, axis, index))
    if written == []:
        yield Mistake("no-effect", f"no value of `{short(axis)}` is excluded", (*path, axis))


def _no_axis(each: FanOut, path: Path) -> Mistake:
    advice = did_you_mean(suggest(str(path[-1]), each.axes))
    notes = () if advice else (f"the axes are {', '.join(each.axes)}",)
    return Mistake("unknown-axis", f"there is no axis `{short(path[-1])}`", path, "key", advice, notes)


def _no_value(axis: str, value: Any, values: Sequence[Any], path: Path) -> Mistake:
    close = suggest(str(value), [text for text in values[:200] if isinstance(text, str)])
    shown = ", ".join(f"{short(each)}" for each in values[:8]) + (", …" if len(values) > 8 else "")
    notes = () if close else (f"`{short(axis)}` has {shown}",)
    message = f"the axis `{short(axis)}` does not have {found(value)}"
    return Mistake("unknown-value", message, path, advice=did_you_mean(close), notes=notes)


def inclusions(data: Data) -> Iterator[Mistake]:
    """An entry of `include` adds something: a new combination, or values to existing ones."""
    for each in _fan_outs(data, "matrix"):
        for path, entry in _entries(each, "include") if each.is_whole else ():
            for name in entry:
                meant = suggest(str(name), each.axes) if name not in each.axes else ""
                if meant and meant not in entry:
                    yield _no_axis(each, (*path, name))
            if entry.keys() <= each.axes.keys() and all(value in each.axes[axis] for axis, value in entry.items()):
                message = "an entry of `include` adds nothing: the matrix has that combination already"
                yield Mistake("no-effect", message, path)


def combinations(step: StepData, data: Data) -> Iterator[dict[str, Any]]:
    """Yield the cells of the `matrix` or `zip` of `step`; none where another rule reports a mistake in it."""
    for each in _fan_outs(data, "matrix", "zip"):
        if each.step.path == step.path and _count(each):
            axes = tuple((name, values.source) for name, values in each.axes.items())
            yield from (_matrix(each) if each.key == "matrix" else ZipSource(axes)).items()


def _entries(each: FanOut, key: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    entries = each.written.get(key) if isinstance(each.written, dict) else None
    for index, entry in enumerate(entries) if isinstance(entries, list) else ():
        if isinstance(entry, dict):
            yield (*each.path, key, index), entry


def not_too_many(data: Data) -> Iterator[Mistake]:
    """A matrix has cells left after `exclude`, and a fan-out of processes has no more than MAX_CELLS."""
    for each in _fan_outs(data, *FAN_OUTS):
        count = _count(each)
        if count == 0 and each.key == "matrix" and all(entry for _, entry in _entries(each, "exclude")):
            yield Mistake("empty", "`exclude` leaves no combination", (*each.path, "exclude"), "key")
        elif count is not None and count > MAX_CELLS and each.step.path[0] != "pools":
            message = f"`{each.key}` would start {count:,} processes, and {MAX_CELLS:,} are the most"
            yield Mistake("too-many-cells", message, each.path, "key", "a pool does the same in a few workers")


def _count(each: FanOut) -> int | None:
    """Return how many cells there will be; None if that isn't known, or if another rule reports a mistake."""
    if each.key == "foreach":
        items = _values(each.written)
        return None if items is None else len(items)
    lengths = [len(values) for values in each.axes.values()]
    if not each.is_whole or not all(lengths) or len(lengths) > MAX_AXES:
        return None
    return lengths[0] if each.key == "zip" else _matrix(each).count()


def _matrix(each: FanOut) -> MatrixSource:
    axes = tuple((name, values.source) for name, values in each.axes.items())
    include, exclude = (tuple(entry for _, entry in _entries(each, key)) for key in _NOT_AXES)
    return MatrixSource(axes, include, exclude)


FAN_OUT_RULES: tuple[Callable[[Data], Iterator[Mistake]], ...] = (
    one_fan_out,
    some_items,
    names_of_axes,
    equal_lengths,
    exclusions,
    inclusions,
    not_too_many,
)
