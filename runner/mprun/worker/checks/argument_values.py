"""Checks the values of arguments against the annotations, and whether any of them needs conversion."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from inspect import Signature
from itertools import chain, islice
from typing import Any

from mprun.language.references import references_in
from mprun.plan.child_spec import FROM_FILES
from mprun.worker.checks.problems import Problem, Use
from mprun.worker.conversion.converter import ANYTHING, Converter, Mismatch, Rules, alternatives
from mprun.worker.conversion.parameters import Parameters, Taken, sentence

MAX_WALK = 100_000  # numbers of a range that are tried one by one; of a longer range, only both ends

_KINDS: dict[type, str] = {str: "a text", dict: "a mapping", list: "a list", int: "a number"}

At = tuple[str | int, ...]


def is_known(value: Any) -> bool:
    """Return whether `value` is complete, without references that only the run can resolve."""
    return next(references_in(value), None) is None


def _is_of_item(value: Any) -> bool:
    return any(reference.scope == "item" for reference in references_in(value))


class ValueCheck:
    """Tries the arguments of one use.

    `converts` says whether any of them needs a check or conversion in the child, `changes` whether one may become
    another value.
    """

    def __init__(self, signature: Signature, use: Use, notes: tuple[str, ...]) -> None:
        self._use = use
        self._name = use.target.qualname
        self._notes = notes
        self._given = Parameters(signature, Rules())
        self._items = Parameters(signature, Rules(text=use.mode == "text"))
        self.converts = False
        self.changes = False

    def problems(self) -> Iterator[Problem]:
        use = self._use
        if use.shape in ("once", "generator"):
            yield from self._call(use.args, use.kwargs, use.where)
            return
        if use.shape == "axes":
            yield from self._axes()
            return
        yield from self._call((), use.kwargs, use.where)
        if use.shape.startswith("each"):
            yield from self._each()
        else:
            yield from self._star()

    def _call(self, args: Sequence[Any], kwargs: Mapping[str, Any], where: At) -> Iterator[Problem]:
        of_items = {key: taken for key, taken, _ in self._items.of(args, kwargs)}
        for key, taken, value in self._given.of(args, kwargs):
            path = (*where, key) if isinstance(key, int) else (*where[:-1], "kwargs", key)
            yield from self._value(of_items[key] if _is_of_item(value) else taken, value, path)

    def _each(self) -> Iterator[Problem]:
        taken = self._items.positional(0)
        if taken is None:
            return
        if self._use.shape == "each":
            yield from self._values(taken, self._use.args, self._use.where)
        elif self._use.args:
            yield from self._kind(taken, type(self._use.args[0]), self._use.where)
        else:
            self._note_unknown(taken.converter)
            if self._use.mode in FROM_FILES:  # what another step returns has its type already
                yield from self._unclear(taken, taken.converter.unclear)

    def _star(self) -> Iterator[Problem]:
        if self._use.shape == "star-like":
            for converter in self._items.converters():
                self._note_unknown(converter)
            return
        for index, item in enumerate(self._use.args):
            if isinstance(item, list):
                yield from self._call(item, {}, (*self._use.where, index))
            elif isinstance(item, dict):
                yield from self._named(item, (*self._use.where, index))

    def _named(self, item: Mapping[Any, Any], where: At) -> Iterator[Problem]:
        for name, value in item.items():
            taken = self._given.keyword(name) if isinstance(name, str) else None
            if taken is not None:
                yield from self._value(taken, value, (*where, name))

    def _axes(self) -> Iterator[Problem]:
        for name, values in self._use.kwargs.items():
            taken = self._given.keyword(name)
            if taken is not None:
                yield from self._values(taken, values, (*self._use.where, name))

    def _values(self, taken: Taken, values: Sequence[Any], where: At) -> Iterator[Problem]:
        if isinstance(values, range):
            yield from self._range(taken, values, where)
            return
        for index, value in enumerate(values):
            yield from self._value(taken, value, (*where, index))

    def _range(self, taken: Taken, numbers: range, where: At) -> Iterator[Problem]:
        """Yield at most one problem, because all numbers of the range are written in one place."""
        if int in taken.converter.reads:
            tried = _tried(taken.converter, numbers)
            yield from islice(chain.from_iterable(self._value(taken, number, where) for number in tried), 1)
        elif numbers:
            yield from self._kind(taken, int, where)

    def _value(self, taken: Taken, value: Any, path: At) -> Iterator[Problem]:
        if not is_known(value):
            self._note_unknown(taken.converter)
            return
        try:
            self._note(taken.converter.convert(value) is not value)
        except Mismatch as mismatch:
            for fault in mismatch.faults:
                message = sentence(self._name, taken.name, fault)
                yield self._problem(message, (*path, *fault.path), fault.advice, at_key=fault.at_key)

    def _kind(self, taken: Taken, kind: type, where: At) -> Iterator[Problem]:
        """Check items of which only the kind is known or looked at."""
        if kind not in taken.converter.sure or not taken.converter.keeps:
            self._note_unknown(taken.converter)
        if kind not in taken.converter.reads:
            message = f"`{self._name}` takes `{taken.name}` as {taken.converter.takes}, and each item is {_KINDS[kind]}"
            yield self._problem(message, where)
        else:
            yield from self._unclear(taken, taken.converter.unclear & {kind})

    def _unclear(self, taken: Taken, kinds: frozenset[type]) -> Iterator[Problem]:
        if kinds:
            what = alternatives(sorted(_KINDS[kind] for kind in kinds))
            message = f"`{self._name}` takes `{taken.name}` in two ways: {what} can be read as {taken.converter.takes}"
            yield self._problem(message, self._use.where, "annotate it with one of them")

    def _note_unknown(self, converter: Converter) -> None:
        """Values that only the run knows are checked also where nothing is made of them."""
        self.converts |= converter is not ANYTHING
        self.changes |= not converter.keeps

    def _note(self, changed: bool) -> None:
        self.converts |= changed
        self.changes |= changed

    def _problem(self, message: str, path: At, advice: str = "", *, at_key: bool = False) -> Problem:
        return Problem("argument-type", message, path, advice=advice, notes=self._notes, at_key=at_key)


def _tried(converter: Converter, numbers: range) -> Iterable[int]:
    """Return the numbers to try; if all ints are accepted, only the first."""
    if int in converter.sure:
        return numbers[:1]
    if len(numbers) <= MAX_WALK:
        return numbers
    return chain(numbers[: MAX_WALK // 2], numbers[-MAX_WALK // 2 :])
