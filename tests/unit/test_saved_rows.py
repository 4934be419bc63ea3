"""Whether a function's results can be rows of a csv file: what can't is found, what is unknown passes."""

from __future__ import annotations

import abc
import collections.abc as abstract
import enum
from dataclasses import InitVar, dataclass
from datetime import date
from decimal import Decimal
from inspect import Signature
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, NewType, Optional, Protocol, TypedDict, TypeVar

import numpy
import pydantic
import pytest
from typing_extensions import TypeAliasType

from mprun.language.targets import parse_target
from mprun.worker.checks.problems import Use
from mprun.worker.checks.saved_rows import RowCheck

Tree = TypeAliasType("Tree", list["Tree"])
UserId = NewType("UserId", int)


class Color(enum.Enum):
    RED = "red"


class Plain:
    pass


class Abstract(abc.ABC):
    @abc.abstractmethod
    def say(self) -> str: ...


class Shape(Protocol):
    x: int


@dataclass
class Point:
    x: int
    y: Optional[date]  # noqa: UP045 -- both spellings


class Base:
    pass


@dataclass
class Derived(Base):
    x: int
    setting: InitVar[list[int]]


@dataclass
class Polygon:
    points: list[Point]


class Pair(NamedTuple):
    a: int
    b: str


class Named(TypedDict):
    name: str
    tags: list[str]


class Model(pydantic.BaseModel):
    size: int


class Nested(pydantic.BaseModel):
    model: Model


ROWS: list[Any] = [
    Signature.empty, Any, object, TypeVar("T"), None, int, float, bool, str, Decimal, Path, date, Color, UserId,
    Literal["a", 1], int | None, int | list[list[int]], Annotated[int, "x"], Point, Pair, Model, list, tuple,
    dict[str, int], dict[str, Any], list[int], tuple[int, str], tuple[int, ...], Tree, numpy.generic, dict,
    abstract.Sequence[int], abstract.Mapping[str, int], abstract.Iterable[int], Abstract, Shape, Base, Derived,
]  # fmt: skip

NO_ROWS: list[tuple[Any, str]] = [
    (list[list[int]], "a list in it"),
    (tuple[int, tuple[int, int]], "a tuple in it"),
    (dict[str, list[int]], "a list in it"),
    (dict[str, int | None] | None, ""),
    (list[dict[str, int]], "a mapping in it"),
    (Polygon, "a list in it"),
    (Named, "a list in it"),
    (Nested, "a Model"),
    (Plain, "a Plain"),
    (Plain | list[Plain], "a Plain"),
    (bytes, "a value of bytes"),
    (set[int], "a set"),
    (complex, "a complex"),
    (numpy.ndarray, "a ndarray"),
]


def problem(annotation: Any, rows: Any = "each") -> str:
    use = Use(parse_target("jobs:f", "/"), ("target",), "once", rows=rows)
    check = RowCheck(Signature(return_annotation=annotation), use, ())
    return "".join(found.message.partition(", and ")[2].partition(" has no row")[0] for found in check.problems())


@pytest.mark.parametrize("annotation", ROWS, ids=str)
def test_what_is_or_may_be_a_row(annotation: Any) -> None:
    assert problem(annotation) == ""


@pytest.mark.parametrize(("annotation", "why"), NO_ROWS, ids=str)
def test_what_has_no_row(annotation: Any, why: str) -> None:
    assert problem(annotation) == why


ONE = [
    (int, ""), (list[int], ""), (list[list[int]], ""), (list[Point], ""), (list[Any], ""), (tuple[int, Point], ""),
    (list[list[list[int]]], "a list in it"), (list[Plain], "a Plain"), (Pair, ""), (Polygon, "a list in it"),
]  # fmt: skip


@pytest.mark.parametrize(("annotation", "why"), ONE, ids=str)
def test_the_rows_of_one_result(annotation: Any, why: str) -> None:
    """Its items, where it is a list."""
    assert problem(annotation, "items") == why


def test_what_is_not_saved_in_a_csv_file() -> None:
    assert problem(Plain, "") == ""


def test_data_frames_have_rows() -> None:
    pandas = pytest.importorskip("pandas")
    assert (problem(pandas.DataFrame), problem(pandas.DataFrame, "items")) == ("", "")
