"""What the check finds wrong with the arguments of each shape of use, and whether it says that they are converted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Lt, MaxLen
from pydantic import StringConstraints

from mprun.language.references import Reference, Template
from mprun.language.targets import Target
from mprun.worker.checks.argument_values import is_known
from mprun.worker.checks.arguments import ArgumentCheck
from mprun.worker.checks.problems import Problem, Use

TARGET = Target("jobs:f", "jobs", "", "f")
RESULT = Reference("results", ("a",))


class Level(IntEnum):
    LOW = 0
    HIGH = 1


@dataclass
class Point:
    x: float


def of_int(number: int) -> None: ...
def of_float(number: float) -> None: ...
def of_text(text: str) -> None: ...
def of_path(path: Path) -> None: ...
def of_day(day: date) -> None: ...
def of_level(level: Level) -> None: ...
def of_point(point: Point) -> None: ...
def of_either(path: Path | str) -> None: ...
def of_int_or_text(value: int | str) -> None: ...
def of_digit(digit: Literal[0, 1, 2]) -> None: ...
def of_short(text: Annotated[str, MaxLen(4)]) -> None: ...
def of_lower(text: Annotated[str, StringConstraints(to_lower=True)]) -> None: ...
def of_path_or_none(path: Path | None) -> None: ...
def of_small(number: Annotated[int, Lt(10**12)]) -> None: ...
def of_anything(value): ...  # type: ignore[no-untyped-def]
def of_two(number: float, path: Path) -> None: ...
def of_many(*paths: Path, **levels: Level) -> None: ...


def use(shape: str, args: Any = (), kwargs: Any = None, where: Any = ("map",), mode: Any = "strict") -> Use:
    return Use(TARGET, ("target",), shape, where, args, kwargs or {}, mode)


def once(*args: Any, **kwargs: Any) -> Use:
    return use("once", args, kwargs, ("args",))


def found(function: Any, asked: Use) -> tuple[list[Problem], bool]:
    check = ArgumentCheck(function, asked)
    return list(check.problems()), check.converts


# function, use, whether its arguments are converted; nothing is wrong with it.
FINE: list[tuple[Any, Use, bool]] = [
    (of_int, once(5), False),
    (of_float, once(0.5), False),
    (of_float, once(5), True),
    (of_path, once("a"), True),
    (of_point, once({"x": 0.5}), True),
    (of_anything, once("5"), False),
    (of_anything, once(RESULT), False),
    (of_int, once(RESULT), True),
    (of_digit, once(RESULT), True),
    (of_short, use("each-like", ("text",)), True),
    (of_path_or_none, use("each-like", ("text",), mode="text"), True),
    (of_path, once(RESULT), True),
    (of_point, once({"x": RESULT}), True),
    (of_int, once(Template(("a", RESULT))), True),
    (of_two, once(0.5, path="a"), True),
    (of_many, once("a", "b", c=1), True),
    (of_many, once(), False),
    (of_int, use("each", (1, 2)), False),
    (of_float, use("each", (0.5, 2)), True),
    (of_float, use("each", (0.5, 2.0)), False),
    (of_path, use("each", ()), False),
    (of_int, use("each", range(10**9)), False),
    (of_float, use("each", range(10**9)), True),
    (of_level, use("each", range(2)), True),
    (of_digit, use("each", range(3)), False),
    (of_text, use("each", range(0)), False),
    (of_anything, use("each", range(10**9)), False),
    (of_path, use("each-like", ("text",)), True),
    (of_text, use("each-like", ("text",)), False),
    (of_day, use("each-like", ("text",)), True),
    (of_int_or_text, use("each-like", ("text",)), False),
    (of_anything, use("each-like", ("text",)), False),
    (of_int, use("each-like"), True),
    (of_either, use("each-like"), True),
    (of_anything, use("each-like"), False),
    (of_int, use("each-like", ("text",), mode="text"), True),
    (of_point, use("each-like", ({},), mode="text"), True),
    (of_two, use("star", ([0.5, "a"],)), True),
    (of_two, use("star-like", ("text",)), True),
    (of_anything, use("star-like", ("text",)), False),
    (of_two, use("axes", (), {"number": [0.5], "path": ["a", "b"]}, ("matrix",)), True),
    (of_int, use("axes", (), {"number": range(10**9)}, ("matrix",)), False),
    (of_two, use("each", (0.5,), {"path": "a"}), True),
]


@pytest.mark.parametrize(("function", "asked", "converts"), FINE)
def test_nothing_is_wrong(function: Any, asked: Use, converts: bool) -> None:
    """And it is known whether a child has to convert anything: what is the same before and after, it has not."""
    assert found(function, asked) == ([], converts)


@pytest.mark.parametrize(
    ("function", "asked", "changes"),
    [
        (of_int, once(RESULT), False),
        (of_float, once(RESULT), True),
        (of_small, once(RESULT), False),
        (of_short, use("each-like"), False),
        (of_lower, once(RESULT), True),
        (of_two, once(RESULT, path="a"), True),
        (of_int, use("each-like", mode="text"), True),
        (of_int, use("star-like", mode="data"), False),
        (of_either, use("star-like", mode="data"), True),
        (of_path, once(Path("a")), False),
        (of_path, once("a"), True),
    ],
)
def test_whether_another_value_is_made_of_one(function: Any, asked: Use, changes: bool) -> None:
    """Where none is, a program without mprun does the same."""
    check = ArgumentCheck(function, asked)
    assert list(check.problems()) == []
    assert check.changes is changes


# function, use, (message, path) of each problem.
WRONG: list[tuple[Any, Use, list[tuple[str, tuple[Any, ...]]]]] = [
    (of_int, once("5"), [("`f` takes `number` as an int, not the text `5`", ("args", 0))]),
    (of_int, once(number="5"), [("`f` takes `number` as an int, not the text `5`", ("kwargs", "number"))]),
    (of_point, once({"x": "a"}), [("`f` takes `point.x` as a float, not the text `a`", ("args", 0, "x"))]),
    (of_point, once({"y": 1}), [("`f` takes `point` as a Point, which has no `y`", ("args", 0, "y"))]),
    (
        of_many,
        once("a", 1, b=7),
        [
            ("`f` takes `paths[1]` as a Path, not the number `1`", ("args", 1)),
            ("`f` takes `b` as a Level (`0` or `1`), not the number `7`", ("kwargs", "b")),
        ],
    ),
    (
        of_int,
        use("each", (1, "2", 3, None)),
        [
            ("`f` takes `number` as an int, not the text `2`", ("map", 1)),
            ("`f` takes `number` as an int, not `null`", ("map", 3)),
        ],
    ),
    (of_text, use("each", range(10**9)), [("`f` takes `text` as a str, and each item is a number", ("map",))]),
    (of_level, use("each", range(5)), [("`f` takes `level` as a Level (`0` or `1`), not the number `2`", ("map",))]),
    (of_digit, use("each", range(10**9)), [("`f` takes `digit` as `0`, `1` or `2`, not the number `3`", ("map",))]),
    (
        of_digit,
        use("each", range(-(10**9), 0)),
        [("`f` takes `digit` as `0`, `1` or `2`, not the number `-1000000000`", ("map",))],
    ),
    (of_int, use("each-like", ("text",)), [("`f` takes `number` as an int, and each item is a text", ("map",))]),
    (of_point, use("each-like", ("text",)), [("`f` takes `point` as a Point, and each item is a text", ("map",))]),
    (
        of_either,
        use("each-like", ("text",)),
        [("`f` takes `path` in two ways: a text can be read as a Path or a str", ("map",))],
    ),
    (
        of_either,
        use("each-like", mode="data"),
        [("`f` takes `path` in two ways: a text can be read as a Path or a str", ("map",))],
    ),
    (
        of_int_or_text,
        use("each-like", ("text",), mode="text"),
        [("`f` takes `value` in two ways: a text can be read as an int or a str", ("map",))],
    ),
    (of_two, use("star", ([0.5, "a"], [0.5, 1])), [("`f` takes `path` as a Path, not the number `1`", ("map", 1, 1))]),
    (
        of_two,
        use("axes", (), {"number": [1, "2"], "path": range(3)}, ("matrix",)),
        [
            ("`f` takes `number` as a float, not the text `2`", ("matrix", "number", 1)),
            ("`f` takes `path` as a Path, and each item is a number", ("matrix", "path")),
        ],
    ),
    (
        of_two,
        use("axes", (), {"number": [1], "paht": ["a"]}, ("matrix",)),
        [("`f` takes no argument `paht`", ("matrix", "paht"))],
    ),
    (
        of_two,
        use("each", (0.5,), {"path": 1}),
        [("`f` takes `path` as a Path, not the number `1`", ("kwargs", "path"))],
    ),
]


@pytest.mark.parametrize(("function", "asked", "expected"), WRONG)
def test_what_is_wrong(function: Any, asked: Use, expected: list[tuple[str, tuple[Any, ...]]]) -> None:
    problems, _ = found(function, asked)
    assert [(problem.message, problem.path) for problem in problems] == expected


def test_a_long_range_is_tried_at_both_ends() -> None:
    """Of more numbers than can be looked at: where a number is out of bounds, so is one at an end."""
    problems, _ = found(of_small, use("each", range(10**12 + 1)))
    assert [problem.message for problem in problems] == [
        f"`f` takes `number` only if it is less than {10**12}, and it is the number `{10**12}`"
    ]


@pytest.mark.parametrize("value", [RESULT, Template(("a", RESULT)), [RESULT], {"a": [1, (RESULT,)]}])
def test_a_value_with_a_reference_in_it_is_not_known(value: Any) -> None:
    assert not is_known(value)


@pytest.mark.parametrize("value", ["a", None, [{"a": 1}], date(2026, 1, 31)])
def test_any_other_value_is_known(value: Any) -> None:
    assert is_known(value)
