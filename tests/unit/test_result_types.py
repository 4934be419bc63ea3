"""Whether what one step returns can be what another takes: plain mismatches are found, what is unknown passes."""

from __future__ import annotations

import collections.abc as abstract
import enum
from dataclasses import dataclass
from datetime import date, timedelta
from inspect import Parameter
from pathlib import Path, PurePath
from typing import Annotated, Any, Literal, NewType, Optional, TypedDict, TypeVar, Union

import pytest
from typing_extensions import TypeAliasType

from mprun.worker.conversion.results import element_of, result_problem

T = TypeVar("T")
Tree = TypeAliasType("Tree", list["Tree"])
UserId = NewType("UserId", int)


class Color(enum.Enum):
    RED = "red"


class Base:
    pass


class Derived(Base):
    pass


@dataclass
class Point:
    x: int


class Row(TypedDict):
    name: str


NOTHING = Parameter.empty

FINE: list[tuple[Any, Any]] = [
    (NOTHING, int),
    (int, NOTHING),
    (Any, int),
    (int, Any),
    (int, object),
    (T, int),
    (int, T),
    (int, int),
    (int, float),
    (int, complex),
    (int, UserId),
    (UserId, int),
    (Derived, Base),
    (Base, Derived),
    (Path, PurePath),
    (str, Path),
    (str, date),
    (str, Color),
    (int, timedelta),
    (dict[str, Any], Point),
    (dict, Row),
    (None, None),
    (None, Optional[int]),  # noqa: UP045
    (int | None, int),
    (int | str, str | bytes),
    (Union[int, str], str),  # noqa: UP007
    (Literal["a"], str),
    (str, Literal["a"]),
    (Annotated[int, "a note"], int),
    (list, list[int]),
    (list[int], list),
    (list[int], list[float]),
    (list[str], list[Path]),
    (list[int], tuple[int, ...]),
    (tuple[int, ...], list[int]),
    (set[int], list[int] | set[int]),
    (tuple[int, str], tuple[int, str]),
    (dict[str, int], abstract.Mapping[str, float]),
    (list[int], abstract.Iterable[int]),
    (abstract.Sequence[int], list[int]),
    (list[Any], list[int]),
    (list[list[int]], list[list[int]]),
    (Tree, Tree),
]

WRONG: list[tuple[Any, Any]] = [
    (int, str),
    (str, int),
    (None, int),
    (float, int),
    (bytes, str),
    (int, Path),
    (int, list[int]),
    (list[int], int),
    (list[int], list[str]),
    (list[list[int]], list[list[str]]),
    (dict[str, int], dict[str, str]),
    (tuple[int, str], tuple[str, int]),
    (Base, Point),
    (Path, str),
    (int | None, str),
    (Literal[5], str),
    (UserId, str),
]


@pytest.mark.parametrize(("returned", "taken"), FINE, ids=repr)
def test_what_may_be_is_left_to_the_run(returned: Any, taken: Any) -> None:
    assert result_problem(returned, taken) == ""


@pytest.mark.parametrize(("returned", "taken"), WRONG, ids=repr)
def test_what_can_not_be_is_told(returned: Any, taken: Any) -> None:
    assert result_problem(returned, taken) != ""


def test_both_annotations_are_told() -> None:
    assert result_problem(list[int], dict[str, date]) == (
        "it returns `list[int]`, where `dict[str, datetime.date]` is taken"
    )


@pytest.mark.parametrize(
    ("annotation", "element"),
    [
        (list[int], int),
        (tuple[int, ...], int),
        (tuple[int, str], int | str),
        (set[str], str),
        (dict[str, int], str),
        (abstract.Iterable[int], int),
        (abstract.Iterator[int], int),
        (list, Any),
        (int, Any),
        (tuple[()], Any),
        (Any, Any),
        (NOTHING, Any),
        (Annotated[list[int], "a note"], int),
    ],
    ids=repr,
)
def test_the_items_of_what_is_returned(annotation: Any, element: Any) -> None:
    assert element_of(annotation) == element
