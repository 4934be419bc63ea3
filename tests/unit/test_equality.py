"""The one comparison, beside a slow and obvious one: two values are the same if they are written in the same way."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mprun.language.equality import equal, same
from mprun.sources.grid import value_key

SCALARS: list[Any] = [
    *(None, True, False, 0, 1, -1, 0.0, -0.0, 1.0, 1.5, float("nan"), float("inf"), "", "1", "a", b"a", 0j, -0j),
    *(Decimal(1), Decimal("1.0"), Decimal("1.00"), Path("1"), date(2026, 1, 31), datetime(2026, 1, 31)),
    *(datetime(2026, 1, 31, hour, tzinfo=timezone(timedelta(hours=hour))) for hour in (1, 2)),
]


@dataclass(slots=True)
class Point:
    x: Any


def written(value: Any) -> str:
    """The value with its types, and the keys of mappings in the order of what is written of them."""
    if isinstance(value, list | tuple):
        return f"{type(value).__name__}({', '.join(map(written, value))})"
    if isinstance(value, dict):
        return f"dict({', '.join(sorted(f'{written(key)}: {written(item)}' for key, item in value.items()))})"
    if isinstance(value, set):
        return f"set({', '.join(sorted(map(written, value)))})"
    if isinstance(value, Point):
        return f"Point({written(value.x)})"
    return f"{type(value).__name__} {value!r}"


def value_of(chance: random.Random, depth: int = 0) -> Any:
    if depth == 3 or chance.random() < 0.4:
        return chance.choice(SCALARS)
    size = chance.randrange(3)
    match chance.choice(["list", "tuple", "set", "point", "dict"]):
        case "list":
            return [value_of(chance, depth + 1) for _ in range(size)]
        case "tuple":
            return tuple(value_of(chance, depth + 1) for _ in range(size))
        case "set":
            return {chance.choice(SCALARS) for _ in range(size)}
        case "point":
            return Point(chance.choice(SCALARS))
    return {chance.choice(SCALARS): value_of(chance, depth + 1) for _ in range(size)}


def test_same_is_what_is_written_in_the_same_way() -> None:
    """Of all pairs of scalars, and of random values with their neighbours."""
    chance = random.Random(13)
    values = [*SCALARS, *(value_of(chance) for _ in range(300))]
    compared = [(same(one, other), written(one) == written(other)) for one, other in itertools.product(values, values)]
    assert all(ours == theirs for ours, theirs in compared)
    assert {True, False} == {ours for ours, _ in compared}


@pytest.mark.parametrize(
    ("one", "other", "is_equal"),
    [
        (1, 1.0, True),
        (0.0, -0.0, True),
        (True, 1, False),
        ([True], [1], False),
        ((1, 2), [1, 2], True),
        ([(1,)], [[1.0]], True),
        ({"a": (1,)}, {"a": [1]}, True),
        ({1: "a"}, {True: "a"}, False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ("1", 1, False),
        (None, False, False),
        (float("nan"), float("nan"), False),
        ({1}, {True}, False),
        ({1, "a"}, {"a", 1.0}, True),
        (frozenset({1, 2}), frozenset({1}), False),
        (Point(1), Point(True), False),
        (Point(1), Point(1.0), True),
    ],
)
def test_equal_in_a_condition(one: Any, other: Any, is_equal: bool) -> None:
    assert (equal(one, other), equal(other, one)) == (is_equal, is_equal)


def test_a_matrix_compares_as_a_condition_does() -> None:
    """Where `exclude` and `include` name values: by keys, which are the same exactly for equal values (and for NaN)."""
    chance = random.Random(13)
    plain = [None, True, False, 0, 1, 0.0, -0.0, 1.0, 1.5, 1e300, 10**300, "", "1", "true", "list", "nan"]

    def value(depth: int) -> Any:
        if depth == 0 or chance.random() < 0.5:
            return chance.choice(plain)
        items = [value(depth - 1) for _ in range(chance.randrange(3))]
        return items if chance.random() < 0.5 else {chance.choice("ab"): item for item in items}

    values = [*plain, *(value(2) for _ in range(200))]
    differing = [
        pair for pair in itertools.product(values, values) if equal(*pair) != (value_key(pair[0]) == value_key(pair[1]))
    ]
    assert differing == []


class Unclear:
    """As an array of numpy's: its equality is no bool."""

    def __eq__(self, other: object) -> Any:
        return self

    def __bool__(self) -> bool:
        raise ValueError("of several values")

    __hash__ = None  # type: ignore[assignment]


def test_what_cannot_be_compared_differs() -> None:
    assert not same(Unclear(), Unclear())
    assert not equal([Unclear()], [Unclear()])
