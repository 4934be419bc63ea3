"""The cells of a matrix: every combination of its axes' values, minus those excluded, plus those included.

Each entry of `exclude` and `include` is a rule that fits some combinations. Rules are numbered; a set of rules is an
int with one bit per rule. The rules that fit a combination are those that fit its value on every axis: a bitwise and.
So combinations are counted axis by axis, grouped by the rules that still fit, and never one by one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

# By axis, the keys of the values that it fits; it fits all values of other axes.
Rule = Mapping[str, Sequence[Hashable]]
Combination = tuple[tuple[Any, ...], int]  # the values on the first axes, and the rules that fit them


def value_key(value: Any) -> Hashable:
    """Return a key that is the same for two values exactly if YAML regards them as equal.

    1 and 1.0 are equal, 1 and true are not.
    """
    match value:
        case bool():
            return "bool", value
        case float() if value.is_integer():
            return int(value)
        case float() if value != value:
            return ("nan",)
        case list() | tuple():
            return "list", tuple(map(value_key, value))
        case dict():
            return "mapping", frozenset((value_key(name), value_key(item)) for name, item in value.items())
        case _:
            return value  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis, and the rules that fit its values.

    `fitting` maps the key of a value to the rules that name it; `times` says how often that value is on the axis.
    `indifferent` are the rules that don't name the axis. `settled` are the exclusions that name this axis and no later
    one: if one of them still fits a combination here, the combination is excluded.
    """

    name: str
    values: Sequence[Any]
    fitting: Mapping[Hashable, int]
    times: Mapping[Hashable, int]
    indifferent: int
    settled: int

    def fit(self, value: Any) -> int:
        """Return the rules that fit `value`."""
        return self.indifferent | self.fitting.get(value_key(value), 0) if self.fitting else self.indifferent

    def extended(self, combinations: Iterable[Combination]) -> Iterator[Combination]:
        """Yield each of `combinations` with each value of this axis, and the rules that fit both."""
        for values, rules in combinations:
            for value in self.values:
                still = rules & self.fit(value)
                if not still & self.settled:
                    yield (*values, value), still

    def tallied(self, tally: Mapping[int, int], by_fit: Mapping[int, int]) -> dict[int, int]:
        """Return the numbers of `extended`: how many combinations there are, by the rules that fit them.

        `by_fit` comes from `all_by_fit` or `one_by_fit`.
        """
        extended: dict[int, int] = defaultdict(int)
        for rules, combinations in tally.items():
            for fit, values in by_fit.items():
                still = rules & fit
                if not still & self.settled:
                    extended[still] += combinations * values
        return extended

    def all_by_fit(self) -> dict[int, int]:
        """Return how many values there are, by the rules that fit them."""
        by_fit = defaultdict(int, {self.indifferent: len(self.values) - sum(self.times.values())})
        for key, times in self.times.items():
            by_fit[self.indifferent | self.fitting[key]] += times
        return by_fit

    def one_by_fit(self, key: Hashable) -> dict[int, int]:
        """As `all_by_fit`, of the values with this key, which a rule names."""
        return {self.indifferent | self.fitting[key]: self.times[key]}


class Grid:
    """The matrix of `axes`. Each cell is a dict.

    `include` works as in GitHub Actions. An entry extends each combination (that is not excluded) whose values of axes
    it doesn't change; later entries may change what earlier ones have added. An entry that extends none is a cell of
    its own, after all others.
    """

    def __init__(
        self,
        axes: Mapping[str, Sequence[Any]],
        include: Sequence[Mapping[str, Any]],
        exclude: Sequence[Mapping[str, Any]],
    ) -> None:
        self._excluding = [_exclusion(entry) for entry in exclude if entry.keys() <= axes.keys()]
        self._including = [_inclusion(entry, axes) for entry in include]
        self._axes = _axes(axes, self._excluding, self._including)
        self._additions = [{name: entry[name] for name in entry if name not in axes} for entry in include]
        self._added = [
            dict(entry) for entry, rule in zip(include, self._including, strict=True) if not self._combinations(rule)
        ]
        self._combined = self._combinations({})

    @property
    def count(self) -> int:
        return self._combined + len(self._added)

    def cells(self) -> Iterator[dict[str, Any]]:
        """Yield the cells in order. The last axis changes fastest."""
        every_rule = (1 << len(self._excluding) + len(self._including)) - 1
        combinations: Iterable[Combination] = [((), every_rule)] if self._axes else []
        for axis in self._axes:
            combinations = axis.extended(combinations)
        for values, rules in combinations:
            yield self._cell(values, rules)
        for entry in self._added:
            yield dict(entry)

    def cell(self, index: int) -> dict[str, Any]:
        """Return the cell at `index`, in a matrix without exclusions."""
        if index >= self._combined:
            return dict(self._added[index - self._combined])
        values: list[Any] = []
        for axis in reversed(self._axes):
            index, position = divmod(index, len(axis.values))
            values.insert(0, axis.values[position])
        fits = (axis.fit(value) for axis, value in zip(self._axes, values, strict=True))
        return self._cell(values, reduce(int.__and__, fits))

    def _cell(self, values: Sequence[Any], rules: int) -> dict[str, Any]:
        cell = {axis.name: value for axis, value in zip(self._axes, values, strict=True)}
        including = rules >> len(self._excluding)
        for number, addition in enumerate(self._additions) if including else ():
            if including >> number & 1:
                cell |= addition
        return cell

    def _combinations(self, inclusion: Rule) -> int:
        """Return how many combinations `inclusion` fits that are not excluded."""
        every_exclusion = (1 << len(self._excluding)) - 1
        tally = {every_exclusion: 1} if self._axes else {}
        for axis in self._axes:
            keys = inclusion.get(axis.name)
            tally = axis.tallied(tally, axis.one_by_fit(*keys) if keys else axis.all_by_fit())
        return sum(tally.values())


def _axes(axes: Mapping[str, Sequence[Any]], excluding: Sequence[Rule], including: Sequence[Rule]) -> list[Axis]:
    rules = [*excluding, *including]
    last = [max((number for number, name in enumerate(axes) if name in rule), default=0) for rule in excluding]
    return [
        Axis(
            name,
            values,
            fitting := _by_key(name, rules),
            times_of(values, fitting),
            _bits(number for number, rule in enumerate(rules) if name not in rule),
            _bits(number for number, axis in enumerate(last) if axis == position),
        )
        for position, (name, values) in enumerate(axes.items())
    ]


def _by_key(axis: str, rules: Sequence[Rule]) -> dict[Hashable, int]:
    """Return the rules that name a value of `axis`, by the key of the value."""
    fitting: dict[Hashable, int] = defaultdict(int)
    for number, rule in enumerate(rules):
        for key in rule.get(axis, ()):
            fitting[key] |= 1 << number
    return dict(fitting)


def times_of(values: Sequence[Any], keys: Collection[Hashable]) -> dict[Hashable, int]:
    """Return how often the value of each of `keys` is among `values`, which are walked only if necessary."""
    if isinstance(values, range):
        return {key: int(isinstance(key, int) and key in values) for key in keys}
    times = Counter(map(value_key, values)) if keys else Counter()
    return {key: times[key] for key in keys}


def _bits(numbers: Iterable[int]) -> int:
    return sum(1 << number for number in numbers)


def _exclusion(entry: Mapping[str, Any]) -> Rule:
    return {axis: list(map(value_key, alternatives(written))) for axis, written in entry.items()}


def _inclusion(entry: Mapping[str, Any], axes: Mapping[str, Any]) -> Rule:
    return {axis: [value_key(value)] for axis, value in entry.items() if axis in axes}


def alternatives(written: Any) -> list[Any]:
    """Return the values that an entry of `exclude` gives for one axis. A list is always a list of alternatives."""
    return written if isinstance(written, list) else [written]
