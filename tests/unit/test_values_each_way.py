"""A value is what its annotation says, whichever way it comes: random annotations and values, each way into a call.

Each way is made of the functions that mprun itself uses for it: the check before the start, what a child makes of an
item, the conversion, the call. The answer has to be that of tests/unit/values_reference.py: the same value, or refused.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from inspect import Signature
from typing import Any

import pytest

from mprun.errors.exceptions import ConversionError
from mprun.language.equality import same
from mprun.language.references import Reference, evaluate
from mprun.language.targets import Target
from mprun.log.values import exact_json, scalar_text
from mprun.plan.child_spec import Converts
from mprun.sources.decoding import CsvRows, JsonLines
from mprun.worker.calls.calling import by_call
from mprun.worker.calls.strict import strict_arguments
from mprun.worker.checks.argument_values import ValueCheck
from mprun.worker.checks.problems import Use
from mprun.worker.conversion.annotations import resolved_signature
from mprun.worker.conversion.calls import converting
from unit.values_reference import RefusedError, Rules, Spec, some, text_for, value_for

TARGET = Target("jobs:f", "jobs", "", "f")
REFUSED = object()
IN_TWO_WAYS = object()

ANNOTATIONS = 100  # random ones
VALUES = 5  # of each, for each of the ways


@dataclass(eq=False)
class Call:
    """A function that returns what it was given as `value`, which is annotated as `spec` says."""

    spec: Spec

    @cached_property
    def function(self) -> Callable[..., Any]:
        def f(value: Any) -> Any:
            return value

        f.__annotations__["value"] = self.spec.annotation
        return f

    @cached_property
    def signature(self) -> Signature | None:
        return resolved_signature(self.function)

    @cached_property
    def converting_beside_an_item(self) -> Callable[..., Any]:
        def f(item: Any, value: Any) -> Any:
            return value

        f.__annotations__.update(item=str, value=self.spec.annotation)
        return converting(f, "text", frozenset({"value"}))

    @functools.cache  # noqa: B019 -- of one test
    def converting(self, mode: Converts) -> Callable[..., Any]:
        return converting(self.function, mode)

    def as_checked(self, use: Use, make_call: Callable[[Callable[..., Any]], Any]) -> Any:
        """What the call gives whose arguments `use` knows: nothing is converted where the check says so."""
        assert self.signature is not None
        check = ValueCheck(self.signature, use, ())
        problems = list(check.problems())
        if problems:
            return IN_TWO_WAYS if " in two ways: " in problems[0].message else REFUSED
        return answer(lambda: make_call(self.converting("strict") if check.converts else self.function))


def answer(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except ConversionError as error:
        return IN_TWO_WAYS if " in two ways: " in str(error) else REFUSED


def expected(spec: Spec, value: Any, rules: Rules) -> Any:
    try:
        return spec.read(value, rules)
    except RefusedError as refusal:
        return IN_TWO_WAYS if refusal.in_two_ways else REFUSED


def is_that(found: Any, wanted: Any) -> bool:
    """Why a value is refused is compared only where mprun says that it could be two things."""
    if wanted in (REFUSED, IN_TWO_WAYS) if type(wanted) is object else False:
        return found is REFUSED or found is IN_TWO_WAYS
    return same(found, wanted)


def use(shape: str, where: Any, args: Any = (), kwargs: Any = None, mode: Converts = "strict") -> Use:
    return Use(TARGET, ("target",), shape, where, args, kwargs or {}, mode)


# -- the ways of plain data


def _item_of_a_list(call: Call, value: Any) -> Any:
    return call.as_checked(use("each", ("map",), (value,)), lambda f: by_call("map", f, {})(value))


def _item_of_a_starmap(call: Call, value: Any) -> Any:
    return call.as_checked(use("star", ("starmap",), ([value],)), lambda f: by_call("starmap", f, {})([value]))


def _named_item_of_a_starmap(call: Call, value: Any) -> Any:
    item = {"value": value}
    return call.as_checked(use("star", ("starmap",), (item,)), lambda f: by_call("starmap", f, {})(item))


def _value_of_an_axis(call: Call, value: Any) -> Any:
    kwargs = {"value": (value,)}
    return call.as_checked(use("axes", ("matrix",), (), kwargs), lambda f: by_call("matrix", f, {})({"value": value}))


def _args(call: Call, value: Any) -> Any:
    return call.as_checked(use("once", ("args",), (value,)), lambda f: f(value))


def _kwargs(call: Call, value: Any) -> Any:
    return call.as_checked(use("once", ("args",), (), {"value": value}), lambda f: f(value=value))


def _kwargs_beside_lines(call: Call, value: Any) -> Any:
    """They are plain data, though what is beside them is text."""
    checked = _kwargs(call, value)
    made = answer(lambda: by_call("map", call.converting_beside_an_item, {"value": value})("a"))
    return checked if checked in (REFUSED, IN_TWO_WAYS) else made


def _line_of_jsonl(call: Call, value: Any) -> Any:
    """As a line of `save`, which writes also the mappings whose keys aren't texts."""
    item = JsonLines("f").value((1, exact_json(value).encode()))
    return answer(lambda: by_call("map", call.converting("data"), {})(item))


PLAIN: dict[str, Callable[[Call, Any], Any]] = {
    "an item of a list": _item_of_a_list,
    "an item of a starmap": _item_of_a_starmap,
    "a named item of a starmap": _named_item_of_a_starmap,
    "a value of an axis": _value_of_an_axis,
    "args": _args,
    "kwargs": _kwargs,
    "kwargs beside lines": _kwargs_beside_lines,
    "a line of a jsonl file": _line_of_jsonl,
}


# -- the ways of text


def _line(call: Call, text: str) -> Any:
    return answer(lambda: by_call("map", call.converting("text"), {})(text))


def _column(call: Call, text: str) -> Any:
    row = CsvRows("f", ("value",)).value((1, [text]))
    return answer(lambda: by_call("starmap", call.converting("text"), {})(row))


def _column_of_a_cell(call: Call, text: str) -> Any:
    args = (Reference("item", ("value",)),)
    function = converting(call.function, "text", strict_arguments(args, {}, ["item"]))
    row = CsvRows("f", ("value",)).value((1, [text]))
    return answer(lambda: function(*evaluate(args, lambda reference: row[reference.path[0]])))


TEXT: dict[str, Callable[[Call, str], Any]] = {
    "a line": _line,
    "a column of a row": _column,
    "a column of a cell": _column_of_a_cell,
}


def cases(seed: int, make: Callable[[Spec, random.Random], Any]) -> Iterator[tuple[Call, Any]]:
    chance = random.Random(seed)
    for _ in range(ANNOTATIONS):
        call = Call(some(chance))
        for _ in range(VALUES):
            yield call, make(call.spec, chance)


def compare(calls: Iterator[tuple[Call, Any]], ways: dict[str, Callable[[Call, Any], Any]], rules: Rules) -> int:
    """How many values were taken; fails with all that differ."""
    taken, differing = 0, []
    for call, value in calls:
        wanted = expected(call.spec, value, rules)
        taken += type(wanted) is not object
        for name, way in ways.items():
            found = way(call, value)
            if not is_that(found, wanted):
                differing.append(f"{name}: {call.spec.annotation} given {value!r}: {shown(found)}, not {shown(wanted)}")
    assert differing == []
    return taken


def shown(answered: Any) -> str:
    return "refused" if answered is REFUSED else "in two ways" if answered is IN_TWO_WAYS else repr(answered)


def test_plain_data_each_way() -> None:
    assert compare(cases(1, value_for), PLAIN, Rules()) > ANNOTATIONS


def test_text_each_way() -> None:
    assert compare(cases(2, text_for), TEXT, Rules(text=True)) > ANNOTATIONS / 2


def test_results_of_another_step() -> None:
    """A value that has its type already stays; one that was made by a conversion, too."""

    def result(call: Call, value: Any) -> Any:
        return answer(lambda: call.converting("strict")(value))

    assert compare(cases(3, value_for), {"a result": result}, Rules(returned=True)) > ANNOTATIONS
    made = [(call, expected(call.spec, value, Rules())) for call, value in cases(3, value_for)]
    again = iter([(call, value) for call, value in made if value not in (REFUSED, IN_TWO_WAYS)])
    assert compare(again, {"a value that was made": result}, Rules(returned=True)) > ANNOTATIONS


def _saved_json(call: Call, value: Any) -> Any:
    """The line of a .jsonl file, and of a .json file."""
    item = JsonLines("f").value((1, exact_json(value).encode()))
    return answer(lambda: call.converting("data")(item))


def _saved_csv(call: Call, value: Any) -> Any:
    """A cell of a .csv file; of an Optional, a None and an empty text are one there."""
    text = scalar_text(value)
    found = value if text is None else answer(lambda: call.converting("text")(value=text))
    return value if text == "" and found is None else found


@pytest.mark.parametrize("save", [_saved_json, _saved_csv])
def test_what_is_saved_is_the_same_when_it_is_read_again(save: Callable[[Call, Any], Any]) -> None:
    """Or it is refused, where the text of a file could be two things."""
    saved, differing = 0, []
    for call, value in cases(4, value_for):
        made = expected(call.spec, value, Rules())
        if type(made) is object:
            continue
        found = save(call, made)
        saved += found is not IN_TWO_WAYS
        if found is not IN_TWO_WAYS and not same(found, made):
            differing.append(f"{call.spec.annotation}: {made!r} became {shown(found)}")
    assert differing == []
    assert saved > ANNOTATIONS


NOTHING_KNOWN: list[tuple[Converts, str]] = [("strict", "each-like"), ("data", "each-like"), ("text", "star-like")]


@pytest.mark.parametrize(("mode", "shape"), NOTHING_KNOWN)
def test_a_program_without_mprun_gives_what_is_only_checked(mode: Converts, shape: str) -> None:
    """`plan --python` prints the program of a step where the check says that no other value is made of one."""
    taken = 0
    for call, value in cases(5, text_for if mode == "text" else value_for):
        assert call.signature is not None
        check = ValueCheck(call.signature, use(shape, ("map",), mode=mode), ())
        list(check.problems())
        found = answer(lambda call=call, value=value: call.converting(mode)(value=value))  # type: ignore[misc]
        if check.changes or found is REFUSED or found is IN_TWO_WAYS:
            continue
        taken += 1
        assert same(found, value), f"{call.spec.annotation}: {value!r} became {found!r}"
    assert taken > ANNOTATIONS / 10


def test_a_program_without_mprun_gives_what_stands_in_the_workflow() -> None:
    taken = 0
    for call, value in cases(6, value_for):
        assert call.signature is not None
        check = ValueCheck(call.signature, use("once", ("args",), (value,)), ())
        if list(check.problems()) or check.changes:
            continue
        taken += 1
        assert same(call.converting("strict")(value), value), f"{call.spec.annotation}: {value!r}"
    assert taken > ANNOTATIONS
