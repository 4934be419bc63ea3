"""What each annotation makes of a value, and what is told where it can't: tables of annotation, value and answer."""

from __future__ import annotations

import collections.abc as abstract
import dataclasses
import enum
import functools
import math
import sys
import typing
from dataclasses import InitVar, dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, Protocol, TypedDict, TypeVar
from uuid import UUID

import pytest
from annotated_types import Ge, MinLen
from conftest import same_each_time
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, HttpUrl, StringConstraints, field_validator
from pydantic.dataclasses import dataclass as pydantic_dataclass

from mprun.errors.exceptions import ConversionError
from mprun.language.targets import Target
from mprun.worker.calls.calls import resolve_converting
from mprun.worker.conversion.build import Converters
from mprun.worker.conversion.calls import convert, converting
from mprun.worker.conversion.converter import MAX_FAULTS, Fault, Mismatch, Rules

T = TypeVar("T")


class Color(enum.Enum):
    RED = "red"
    GREEN = "green"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Mood(enum.StrEnum):
    GOOD = "good"


class Rights(enum.Flag):
    READ = 1
    WRITE = 2


class Loose(enum.Enum):
    ONE = "one"

    @classmethod
    def _missing_(cls, value: object) -> Any:
        return cls.ONE if str(value).lower() == "one" else None


@dataclass
class Point:
    x: float
    y: float = 0.0


@dataclass(kw_only=True)
class Job:
    at: Point
    when: date
    tags: set[str] = dataclasses.field(default_factory=set)
    scale: InitVar[int] = 1
    made: int = dataclasses.field(init=False, default=0)


@dataclass
class Node:
    name: str
    children: list[Node] = dataclasses.field(default_factory=list)


@dataclass
class Positive:
    number: int

    def __post_init__(self) -> None:
        if self.number <= 0:
            raise ValueError("not positive")


@dataclass
class Leaves:
    code: int

    def __post_init__(self) -> None:
        raise SystemExit(self.code)


@dataclass
class Box(Generic[T]):
    value: T


class Dates(Box[list[date]]):
    pass


@dataclass
class Unresolved:
    """One of its annotations is a name that only a type checker imports."""

    when: date
    engine: OnlyForTypeCheckers  # type: ignore[name-defined] # noqa: F821


class Pair(NamedTuple):
    left: int
    right: Path = Path("r")


class Row(TypedDict, total=False):
    name: typing.Required[str]
    size: int
    path: Path


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")
    port: int = Field(gt=0)
    root: Path | None = None
    start: date | None = None


class Painted(BaseModel):
    color: Color


class Strange(BaseModel):
    name: str

    @field_validator("name")
    @classmethod
    def _raises(cls, name: str) -> str:
        raise RuntimeError("by itself")


@pydantic_dataclass
class Validated:
    day: date


class Parser:
    pass


class Refuses(type):
    def __instancecheck__(cls, instance: object) -> bool:
        raise RuntimeError


class Unschooled:
    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        raise RuntimeError("not today")


class Unasked(metaclass=Refuses):
    pass


class Reads(Protocol):
    def read(self) -> str: ...


class NumpyLike:
    """An integer of another library, as numpy's: not an int, but it stands for one."""

    def __index__(self) -> int:
        return 7


UserId = NewType("UserId", int)
Size = Annotated[int, BeforeValidator(lambda text: int(str(text).removesuffix("MB")))]
NUMBER = NumpyLike()
PARSER = Parser()
UNASKED = object()
NAN = math.nan
WEST = timezone(timedelta(hours=-1))


def taking(annotation: Any) -> Any:
    def f(value: Any) -> Any:
        return value

    f.__annotations__["value"] = annotation
    f.__qualname__ = "f"
    return f


def converted(annotation: Any, value: Any, mode: Any = "strict") -> Any:
    return converting(taking(annotation), mode)(value)


def refusal(annotation: Any, value: Any, mode: Any = "strict") -> str:
    with pytest.raises(ConversionError) as raised:
        converted(annotation, value, mode)
    return str(raised.value)


# annotation, value, what it becomes; the type is compared too.
STRICT: list[tuple[Any, Any, Any]] = [
    (int, 5, 5),
    (int, NUMBER, NUMBER),
    (float, 5, 5.0),
    (float, 0.5, 0.5),
    (complex, 5, 5 + 0j),
    (str, "5", "5"),
    (str, Mood.GOOD, Mood.GOOD),
    (bool, True, True),
    (bytes, b"5", b"5"),
    (None, None, None),
    (Any, "5", "5"),
    (object, "5", "5"),
    (T, "5", "5"),
    (UserId, 5, 5),
    (Path, "a/b", Path("a/b")),
    (Path, Path("a"), Path("a")),
    (PurePosixPath, "a", PurePosixPath("a")),
    (date, "2026-01-31", date(2026, 1, 31)),
    (date, date(2026, 1, 31), date(2026, 1, 31)),
    (date, datetime(2026, 1, 31), datetime(2026, 1, 31)),
    (datetime, "2026-01-31T12:30:00", datetime(2026, 1, 31, 12, 30)),
    (datetime, "2026-01-31 12:30", datetime(2026, 1, 31, 12, 30)),
    (datetime, "2026-01-31T12:30:00Z", datetime(2026, 1, 31, 12, 30, tzinfo=timezone.utc)),  # noqa: UP017
    (datetime, "2026-01-31T12:30-01:00", datetime(2026, 1, 31, 12, 30, tzinfo=WEST)),
    (time, "12:30", time(12, 30)),
    (timedelta, "1m30s", timedelta(seconds=90)),
    (timedelta, "P1DT2H", timedelta(days=1, hours=2)),
    (timedelta, "PT0.5S", timedelta(seconds=0.5)),
    (timedelta, 90, timedelta(seconds=90)),
    (Decimal, "1.10", Decimal("1.10")),
    (Decimal, 1.1, Decimal("1.1")),
    (Decimal, 5, Decimal(5)),
    (UUID, "12345678123456781234567812345678", UUID(int=0x12345678123456781234567812345678)),
    (Color, "red", Color.RED),
    (Color, "RED", Color.RED),
    (Color, Color.RED, Color.RED),
    (Level, 2, Level.HIGH),
    (Level, "HIGH", Level.HIGH),
    (Rights, 3, Rights.READ | Rights.WRITE),
    (Loose, "ONE", Loose.ONE),
    (Loose, "oNe", Loose.ONE),
    (Literal["fast", 5, None], "fast", "fast"),
    (Literal["fast", 5, None], None, None),
    (Literal[1, "1"], "1", "1"),
    (Literal[Color.RED], "red", Color.RED),
    (list, [1, "a"], [1, "a"]),
    (list[Path], ["a"], [Path("a")]),
    (typing.List[int], [1], [1]),  # noqa: UP006
    (list[list[float]], [[1], [0.5]], [[1.0], [0.5]]),
    (tuple[int, ...], [1, 2], (1, 2)),
    (tuple[int, Path], [1, "a"], (1, Path("a"))),
    (tuple[()], [], ()),
    (tuple, [1], (1,)),
    (typing.Tuple, [1], (1,)),  # noqa: UP006
    (tuple[Path, ...], ("a",), (Path("a"),)),
    (set[str], ["a", "a"], {"a"}),
    (frozenset[int], [1], frozenset({1})),
    (abstract.Set[int], {1}, {1}),
    (abstract.Sequence[Path], ["a"], [Path("a")]),
    (abstract.Iterable[str], "ab", "ab"),
    (abstract.Iterable[int], range(3), range(3)),
    (dict[str, Path], {"a": "b"}, {"a": Path("b")}),
    (abstract.Mapping[str, float], {"a": 1}, {"a": 1.0}),
    (dict[date, int], {"2026-01-31": 1}, {date(2026, 1, 31): 1}),
    (int | None, None, None),
    (int | str, 5, 5),
    (int | str, "5", "5"),
    (float | int, 5, 5),
    (int | float, 0.5, 0.5),
    (date | int, "2026-01-31", date(2026, 1, 31)),
    (date | datetime, "2026-01-31", date(2026, 1, 31)),
    (date | datetime, "2026-01-31T12:30", datetime(2026, 1, 31, 12, 30)),
    (list[int] | set[int], [1], [1]),
    (Mood | str, "good", "good"),
    (str | Mood, "good", "good"),
    (tuple[float, ...] | tuple[int, ...], [1], (1,)),
    (date, {"$date": "2026-01-31"}, date(2026, 1, 31)),
    (datetime | date, {"$date": "2026-01-31"}, date(2026, 1, 31)),
    (time, {"$time": "12:30:00"}, time(12, 30)),
    (timedelta, {"$timedelta": -90.5}, timedelta(seconds=-90.5)),
    (float, {"$float": "-inf"}, -math.inf),
    (complex, {"$complex": [1, {"$float": "inf"}]}, complex(1, math.inf)),
    (bytes, {"$bytes": "YWI="}, b"ab"),
    (Path | str, {"$path": "a"}, Path("a")),
    (Decimal, {"$decimal": "1.10"}, Decimal("1.10")),
    (UUID, {"$uuid": "12345678-1234-5678-1234-567812345678"}, UUID(int=0x12345678123456781234567812345678)),
    (set[date], {"$set": [{"$date": "2026-01-31"}]}, {date(2026, 1, 31)}),
    (dict[int, str], {"$dict": [[1, "a"]]}, {1: "a"}),
    (dict[str, int], {"$dict": [["$a", 1]]}, {"$a": 1}),
    (dict[tuple[int, int], str], {"$dict": [[[1, 2], "a"]]}, {(1, 2): "a"}),
    (dict, {"$dict": [[1, "a"]]}, {1: "a"}),
    (Color, {"$enum": "elsewhere.Color.RED"}, Color.RED),
    (Rights, {"$enum": "elsewhere.Rights.READ|WRITE"}, Rights.READ | Rights.WRITE),
    (Literal[Color.RED], {"$enum": "elsewhere.Color.RED"}, Color.RED),
    (Point, {"$fields": {"x": 1, "y": 2.0}, "type": "elsewhere.Point"}, Point(1.0, 2.0)),
    (
        Settings,
        {"$fields": {"port": 1, "root": {"$path": "a"}, "start": {"$date": "2026-01-31"}}, "type": "Settings"},
        Settings(port=1, root=Path("a"), start=date(2026, 1, 31)),
    ),
    (
        Settings,
        {"port": 1, "start": date(2026, 1, 31), "root": "a"},
        Settings(port=1, root=Path("a"), start=date(2026, 1, 31)),
    ),
    (Painted, {"color": {"$enum": f"{__name__}.Color.RED"}}, Painted(color=Color.RED)),
    (Point | None, {"x": 1}, Point(1.0)),
    (Point | list[Point], [{"x": 1}], [Point(1.0)]),
    (typing.Optional[Path], "a", Path("a")),  # noqa: UP045
    (Point, {"x": 1, "y": 2}, Point(1.0, 2.0)),
    (Point, Point(1), Point(1)),
    (
        Job,
        {"at": {"x": 1}, "when": "2026-01-31", "tags": ["a"]},
        Job(at=Point(1.0), when=date(2026, 1, 31), tags={"a"}),
    ),
    (Node, {"name": "a", "children": [{"name": "b"}]}, Node("a", [Node("b")])),
    (Box[int], {"value": 1}, Box(1)),
    (Box[date], {"value": "2026-01-31"}, Box(date(2026, 1, 31))),
    (Box[list[T]], {"value": ["a"]}, Box(["a"])),
    (Dates, {"value": ["2026-01-31"]}, Dates([date(2026, 1, 31)])),
    (list[Box[Path]], [{"value": "a"}], [Box(Path("a"))]),
    (Unresolved, {"when": "2026-01-31", "engine": "any"}, Unresolved(date(2026, 1, 31), "any")),
    (dict[Mood, int], {"good": 1}, {Mood.GOOD: 1}),
    (dict[float, str], {1: "a"}, {1.0: "a"}),
    (dict[Decimal, str], {1: "a"}, {Decimal(1): "a"}),
    (Annotated[str, StringConstraints(to_lower=True)], "AB", "ab"),
    (Pair, {"left": 1}, Pair(1)),
    (Pair, [1, "a"], Pair(1, Path("a"))),
    (Row, {"name": "a", "path": "b"}, {"name": "a", "path": Path("b")}),
    (
        Settings,
        {"port": 1, "root": "a", "start": "2026-01-31"},
        Settings(port=1, root=Path("a"), start=date(2026, 1, 31)),
    ),
    (Settings, Settings(port=1), Settings(port=1)),
    (list[Settings], [{"port": 1}], [Settings(port=1)]),
    (Validated, {"day": "2026-01-31"}, Validated(date(2026, 1, 31))),
    (HttpUrl, "https://example.org/", HttpUrl("https://example.org/")),
    (Annotated[int, "a note"], 5, 5),
    (Annotated[int, Ge(0)], 5, 5),
    (Annotated[float, Ge(0)], 5, 5.0),
    (Annotated[str, Field(pattern="^a")], "ab", "ab"),
    (Annotated[list[Parser], MinLen(1)], [PARSER], [PARSER]),
    (Size, "5MB", 5),
    (Parser, PARSER, PARSER),
    (Unasked, UNASKED, UNASKED),
    (Reads, "anything", "anything"),
    (type[int], int, int),
    (abstract.Callable[[], int], len, len),
    (typing.SupportsInt, 5, 5),
]


@pytest.mark.parametrize(("annotation", "value", "expected"), STRICT, ids=same_each_time)
def test_a_value_becomes_what_the_annotation_asks_for(annotation: Any, value: Any, expected: Any) -> None:
    made = converted(annotation, value)
    assert made == expected
    assert type(made) is type(expected)
    if isinstance(expected, dict):
        assert list(map(type, made)) == list(map(type, expected))


def test_a_value_that_fits_is_the_same_object() -> None:
    """What has nothing to be converted is not copied."""
    for annotation, value in ((list[float], [0.5]), (dict[str, list[int]], {"a": [1]}), (Row, {"name": "a"})):
        assert converted(annotation, value) is value


# annotation, value, what is told of it: the end of "`f` takes `value` …".
REFUSED: list[tuple[Any, Any, str]] = [
    (int, "5", "as an int, not the text `5`"),
    (int, "", "as an int, not an empty text"),
    (int, True, "as an int, not `true`"),
    (int, 5.0, "as an int, not the number `5.0`"),
    (int, None, "as an int, not `null`"),
    (int, [5], "as an int, not a list"),
    (float, True, "as a float, not `true`"),
    (float, 10**400, f"as a float, not the number `1{'0' * 38}…`"),
    (str, 5, "as a str, not the number `5`"),
    (str, b"5", "as a str, not a bytes"),
    (bool, 1, "as a bool, not the number `1`"),
    (bool, "true", "as a bool, not the text `true`"),
    (bytes, "a", "as bytes, not the text `a`"),
    (None, 0, "as `null`, not the number `0`"),
    (UserId, "5", "as an int, not the text `5`"),
    (Path, 5, "as a Path, not the number `5`"),
    (date, "31.1.2026", "as a date such as `2026-01-31`, not the text `31.1.2026`"),
    (date, "2026-02-30", "as a date such as `2026-01-31`, not the text `2026-02-30`"),
    (date, "20260131", "as a date such as `2026-01-31`, not the text `20260131`"),
    (date, "2026-01-31T00:00", "as a date such as `2026-01-31`, not the text `2026-01-31T00:00`"),
    (date, 20260131, "as a date such as `2026-01-31`, not the number `20260131`"),
    (datetime, "2026-01-31", "as a datetime such as `2026-01-31T12:30:00`, not the text `2026-01-31`"),
    (time, "1230", "as a time such as `12:30`, not the text `1230`"),
    (timedelta, "90", "as a timedelta such as `1m30s`, not the text `90`"),
    (timedelta, "P", "as a timedelta such as `1m30s`, not the text `P`"),
    (timedelta, 10**30, f"as a timedelta such as `1m30s`, not the number `{10**30}`"),
    (Decimal, "1,5", "as a Decimal, not the text `1,5`"),
    (Decimal, True, "as a Decimal, not `true`"),
    (UUID, "1", "as a UUID, not the text `1`"),
    (Color, "blue", "as a Color (`red` or `green`), not the text `blue`"),
    (Level, True, "as a Level (`1` or `2`), not `true`"),
    (Level, "2", "as a Level (`1` or `2`), not the text `2`"),
    (Literal["fast", 5], "5", "as `fast` or `5`, not the text `5`"),
    (Literal[1], True, "as `1`, not `true`"),
    (Literal[1], [1], "as `1`, not a list"),
    (list, "a", "as a list, not the text `a`"),
    (list[int], (1,), "as a list, not a tuple"),
    (set[Any], [[1]], "as a set of values that can be hashed, not of lists or mappings"),
    (tuple[int, int], [1], "as a list of 2 values, not of 1"),
    (tuple[int], [1, 2], "as a list of 1 value, not of 2"),
    (tuple[()], [1], "as a list of no values, not of 1"),
    (dict[str, int], [1], "as a mapping, not a list"),
    (abstract.Sequence[int], "12", "as a list, not the text `12`"),
    (int | None, "5", "as an int or `null`, not the text `5`"),
    (int | date, "x", "as an int or a date such as `2026-01-31`, not the text `x`"),
    (Point, 5, "as a Point, which is a mapping, not the number `5`"),
    (Point, [1, 2], "as a Point, which is a mapping, not a list"),
    (Point, {}, "as a Point, which needs `x`"),
    (Point, {"x": 1, "z": 2}, "as a Point, which has no `z`"),
    (Positive, {"number": -1}, "as a Positive, which raises ValueError: not positive"),
    (Leaves, {"code": 3}, "as a Leaves, which raises SystemExit: 3"),
    (Job, {"at": {"x": 1}, "when": "2026-01-31", "made": 1}, "as a Job, which has no `made`"),
    (Row, {"size": 5}, "as a Row, which needs `name`"),
    (Pair, [1, "a", 2], "as a Pair, which is a mapping, not a list"),
    (Settings, "a", "as a Settings, which is a mapping, not the text `a`"),
    (Settings, {}, "as a Settings, which needs `port`"),
    (Settings, {"prot": 1, "port": 1}, "as a Settings, which has no `prot`"),
    (Strange, {"name": "a"}, "as a Strange, which raises RuntimeError: by itself"),
    (HttpUrl, "a", "as a valid URL, relative URL without a base, not the text `a`"),
    (Annotated[int, Ge(0)], -1, "only if it is greater than or equal to 0, and it is the number `-1`"),
    (Annotated[int, Ge(0)], "1", "as an int, not the text `1`"),
    (Annotated[list[int], MinLen(2)], [1], "otherwise: list should have at least 2 items after validation, not 1"),
    (Parser, "a", "as a Parser, not the text `a`"),
    (abstract.Callable[[], int], "a", "as a Callable, not the text `a`"),
    (type[int], "int", "as a type, not the text `int`"),
    (str, 5, "as a str, not the number `5`"),
    (int, "x" * 1000, "as an int, not a text of 1,000 characters"),
]


@pytest.mark.parametrize(("annotation", "value", "told"), REFUSED, ids=same_each_time)
def test_a_value_that_is_something_else_is_refused(annotation: Any, value: Any, told: str) -> None:
    assert refusal(annotation, value) == f"`f` takes `value` {told}"


# annotation, value, all that is told of it.
NESTED: list[tuple[Any, Any, str]] = [
    (list[int], [1, "2", None], "`value[1]` as an int, not the text `2`; `value[2]` as an int, not `null`"),
    (dict[str, int], {"a": "1"}, "`value.a` as an int, not the text `1`"),
    (dict[int, int], {"a": 1}, "`value` as an int, not the text `a`"),
    (tuple[int, Path], ["a", 1], "`value[0]` as an int, not the text `a`; `value[1]` as a Path, not the number `1`"),
    (list[Point], [{"x": "1"}], "`value[0].x` as a float, not the text `1`"),
    (Point | None, {"x": "1"}, "`value.x` as a float, not the text `1`"),
    (date, {"$date": "31.1.2026"}, "`value` as a date such as `2026-01-31`, not the text `31.1.2026`"),
    (date, {"$time": "12:30:00"}, "`value` as a date such as `2026-01-31`, not a mapping"),
    (date, {"$date": "2026-01-31", "a": 1}, "`value` as a date such as `2026-01-31`, not a mapping"),
    (date, {"$date": [1]}, "`value` as a date such as `2026-01-31`, not a list"),
    (Color, {"$enum": "m.Colour.RED"}, "`value` as a Color (`red` or `green`), not a mapping"),
    (Color, {"$enum": 1}, "`value` as a Color (`red` or `green`), not a mapping"),
    (dict[str, int], {"$dict": [["a"]]}, "`value` as a mapping, not a mapping"),
    (dict, {"$dict": [[[1], 2]]}, "`value` as a mapping, of which a list can't be a key"),
    (bytes, {"$bytes": "?"}, "`value` as bytes, not the text `?`"),
    (complex, {"$complex": 1}, "`value` as a complex number, not the number `1`"),
    (Settings, {"port": "80", "start": date(2026, 1, 31)}, "`value.port` as a valid integer, not the text `80`"),
    (Annotated[list[Parser], MinLen(1)], [], "`value` otherwise: value should have at least 1 item after validation, "
     "not 0"),
    (Box[int], {"value": "a"}, "`value.value` as an int, not the text `a`"),
    (dict[Path, int], {"a": 1, "./a": 2}, "`value` as a mapping in which the text `./a` is a key twice"),
    (Job, {"at": {"X": 1}, "when": "a"}, "`value.at` as a Point, which has no `X`; "
     "`value.when` as a date such as `2026-01-31`, not the text `a`"),
    (Node, {"name": "a", "children": [{"name": 1}]}, "`value.children[0].name` as a str, not the number `1`"),
    (Settings, {"port": "1"}, "`value.port` as a valid integer, not the text `1`"),
    (Settings, {"port": 0}, "`value.port` only if it is greater than 0, and it is the number `0`"),
]  # fmt: skip


@pytest.mark.parametrize(("annotation", "value", "told"), NESTED, ids=same_each_time)
def test_what_is_wrong_inside_a_value_is_told_with_its_place(annotation: Any, value: Any, told: str) -> None:
    assert refusal(annotation, value) == "; ".join(f"`f` takes {each}" for each in told.split("; "))


# annotation, text, what it becomes where it comes from outside.
TEXT: list[tuple[Any, Any, Any]] = [
    (int, "5", 5),
    (int, " -5 ", -5),
    (float, "1e3", 1000.0),
    (float, "5", 5.0),
    (bool, "true", True),
    (bool, "False", False),
    (str, "5", "5"),
    (str, "", ""),
    (int | None, "", None),
    (int | None, "5", 5),
    (str | None, "", None),
    (int | float, "5", 5),
    (int | float, "5.5", 5.5),
    (Path, "a", Path("a")),
    (date, "2026-01-31", date(2026, 1, 31)),
    (Decimal, "1.10", Decimal("1.10")),
    (Level, "2", Level.HIGH),
    (Level, "HIGH", Level.HIGH),
    (Literal[1, 2, None, False], "2", 2),
    (Literal[1, 2, None, False], "", None),
    (Literal[1, 2, None, False], "false", False),
    (Point, {"x": "1", "comment": "ignored"}, Point(1.0)),
    (Row, {"name": "a", "size": "5", "more": "kept"}, {"name": "a", "size": 5, "more": "kept"}),
    (dict[str, int], {"a": "5"}, {"a": 5}),
    (Settings, {"port": "5", "root": "", "start": "2026-01-31"}, Settings(port=5, start=date(2026, 1, 31))),
    (Literal[1, "1"], "1", "1"),
    (bool, " true", True),
    (timedelta, "90.5", timedelta(seconds=90.5)),
    (timedelta, "1m30s", timedelta(seconds=90)),
    (Color, "elsewhere.Color.RED", Color.RED),
    (Annotated[int, Ge(0)], "5", 5),
    (Size, "5MB", 5),
    (int, 5, 5),
]


@pytest.mark.parametrize(("annotation", "value", "expected"), TEXT, ids=same_each_time)
def test_text_from_outside_becomes_what_the_annotation_asks_for(annotation: Any, value: Any, expected: Any) -> None:
    made = converted(annotation, value, "text")
    assert made == expected
    assert type(made) is type(expected)


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (int, "5.0"),
        (int, "1_000"),
        (int, ""),
        (int, "9" * 5000),
        (float, "1_0"),
        (float, "one"),
        (bool, "1"),
        (bool, "yes"),
        (None, "null"),
        (list[int], "[1]"),
        (Point, {"y": "1"}),
        (Settings, {"port": "a"}),
        (Annotated[int, Ge(0)], "-5"),
    ],
    ids=same_each_time,
)
def test_text_from_outside_that_is_something_else_is_refused(annotation: Any, value: Any) -> None:
    assert refusal(annotation, value, "text").startswith("`f` takes `value")


def test_numbers_that_are_none_pass() -> None:
    assert math.isnan(converted(float, NAN))
    assert math.isnan(converted(float, "nan", "text"))


def test_every_argument_goes_to_its_parameter() -> None:
    """By position, by name, and what `*args` and `**kwargs` take each."""

    def f(a: Path, /, b: date, *rest: float, c: Point | None = None, **others: Color) -> Any:
        return a, b, rest, c, others

    called = converting(f, "strict")("a", "2026-01-31", 1, 2, c={"x": 1}, d="red")
    assert called == (Path("a"), date(2026, 1, 31), (1.0, 2.0), Point(1.0), {"d": Color.RED})


def test_only_what_comes_from_a_file_of_texts_is_read_as_text() -> None:
    """The other arguments stand in the workflow: by position, by name, and in `*args` and `**kwargs`."""

    def f(n: int, prefix: str | None = "x", *rest: str | None, **others: str | None) -> Any:
        return n, prefix, rest, others

    assert converting(f, "text")("5", "", "", a="") == (5, None, (None,), {"a": None})
    assert converting(f, "text", frozenset({"prefix", "a"}))("5", prefix="", a="", b="") == (
        5,
        "",
        (),
        {"a": "", "b": None},
    )
    assert converting(f, "text", frozenset({1, 3}))("5", "", "", "") == (5, "", (None, ""), {})
    with pytest.raises(ConversionError, match="`n` as an int, not the text `5`"):
        converting(f, "text", frozenset({0}))("5")


def test_all_that_is_wrong_with_a_call_is_told_at_once() -> None:
    def f(a: int, *rest: int, c: int = 0, **others: int) -> None:
        """Never called."""

    f.__qualname__ = "f"
    with pytest.raises(ConversionError) as raised:
        converting(f, "strict")("a", 1, "b", c="c", d="d")
    named = ("a", "rest[1]", "c", "d")
    texts = ("a", "b", "c", "d")
    assert str(raised.value).split("; ") == [
        f"`f` takes `{name}` as an int, not the text `{text}`" for name, text in zip(named, texts, strict=True)
    ]


def test_the_error_is_the_calls_own_if_it_is_called_wrongly() -> None:
    with pytest.raises(TypeError, match="positional argument"):
        converting(taking(int), "strict")(1, 2)
    with pytest.raises(TypeError, match="unexpected keyword"):
        converting(taking(int), "strict")(1, other=2)


@pytest.mark.parametrize(
    "annotation", [Any, object, T, "NotThere", Reads, Literal[1] | Any, Unschooled, 5, [int]], ids=same_each_time
)
@pytest.mark.parametrize("mode", ["strict", "text"])
def test_nothing_is_done_where_nothing_is_asked_for(annotation: Any, mode: Any) -> None:
    """The function is called as it is, without a wrapper around it."""
    function = taking(annotation)
    assert convert(function, mode) is None
    assert converting(function, mode) is function


def test_nothing_is_done_without_a_mode() -> None:
    assert convert(taking(int), "") is None


UNCLEAR: list[tuple[Any, Any, str, str]] = [
    (Path | str, "a", "the text `a`", "a Path and as a str"),
    (date | str | None, "2026-01-31", "the text `2026-01-31`", "a date such as `2026-01-31` and as a str"),
    (Color | str, "red", "the text `red`", "a Color (`red` or `green`) and as a str"),
    (list[str] | list[Path], ["a"], "a list", "a list and as a list"),
    (list[str | Path] | list[date], ["2026-01-31"], "the text `2026-01-31`", "a str and as a Path"),
    (tuple[Decimal, ...] | tuple[float, ...], [1], "a list", "a list and as a list"),
    (Point | dict[str, Any], {"x": 1}, "a mapping", "a Point and as a mapping"),
    (Point | Box[Any] | Pair, {"left": 1}, "", ""),
    (UUID | Decimal, "12345678123456781234567812345678", "the text `12345678123456781234567812345678`",
     "a UUID and as a Decimal"),
]  # fmt: skip


@pytest.mark.parametrize(("annotation", "value", "what", "ways"), UNCLEAR, ids=same_each_time)
def test_a_union_that_could_be_read_two_ways_is_refused_before_the_start(
    annotation: Any, value: Any, what: str, ways: str
) -> None:
    convert_it = Converters(Rules()).of(annotation).convert
    if not what:
        assert convert_it(value) == Pair(1)
        return
    with pytest.raises(Mismatch) as raised:
        convert_it(value)
    (fault,) = (fault._replace(path=()) for fault in raised.value.faults)
    message = f"in two ways: {what} can be read as {ways}"
    assert fault == Fault(message, "annotate it with one of them", unclear=True)


@pytest.mark.parametrize(
    ("annotation", "value"),
    [(int | str, 5), (int | str, "5"), (Path | int, "a"), (date | str, "a"), (Point | Settings, {"port": 1})],
    ids=same_each_time,
)
def test_a_union_that_only_one_member_takes_is_clear(annotation: Any, value: Any) -> None:
    Converters(Rules()).of(annotation).convert(value)


ADVICE: list[tuple[Any, Any, str]] = [
    (int, "5", "write it without quotes"),
    (int | None, "5", "write it without quotes"),
    (float, "1e3", "write it without quotes"),
    (int, "five", ""),
    (int, 5.0, "write `5`"),
    (int, 5.5, ""),
    (str, 5, "write it in quotes"),
    (str, False, "write it in quotes"),
    (str, None, ""),
    (bool, "Yes", "write `true`"),
    (bool, "off", "write `false`"),
    (bool, "maybe", ""),
    (datetime, "2026-01-31", "write `2026-01-31T00:00`"),
    (Literal["fast", "slow"], "fats", "did you mean `fast`?"),
    (Color, "GREN", "did you mean `GREEN`?"),
    (Point, {"x": 1, "yy": 2}, "did you mean `y`?"),
    (Parser, "a", "no value in a workflow is one"),
    (Parser, object(), ""),
]


@pytest.mark.parametrize(("annotation", "value", "advice"), ADVICE, ids=same_each_time)
def test_what_to_write_instead(annotation: Any, value: Any, advice: str) -> None:
    with pytest.raises(Mismatch) as raised:
        Converters(Rules()).of(annotation).convert(value)
    assert raised.value.faults[0].advice == advice


def test_only_so_many_faults_of_one_value_are_told() -> None:
    with pytest.raises(Mismatch) as raised:
        Converters(Rules()).of(list[int]).convert(["a"] * 1000)
    assert len(raised.value.faults) == MAX_FAULTS


def test_a_union_is_settled_by_what_a_value_is_already() -> None:
    """In the child: what stands in the workflow was found to be clear, and a result is what it is."""
    assert converted(Path | str, "a") == "a"
    assert converted(Path | str, Path("a")) == Path("a")


def test_what_says_nothing_is_called_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is imported for it; a decorated function may say something all the same."""

    def plain(value):  # type: ignore[no-untyped-def]
        return value

    def typed(value: float) -> float:
        return value

    @functools.wraps(typed)
    def decorated(*args):  # type: ignore[no-untyped-def]
        return typed(*args)

    decorated.__annotations__ = {}
    for name, function in (("plain", plain), ("typed", typed), ("decorated", decorated)):
        monkeypatch.setattr(sys.modules[__name__], name, function, raising=False)
    resolved = {
        name: resolve_converting(Target("", __name__, "", name), "strict") for name in ("plain", "typed", "decorated")
    }
    assert resolved["plain"] is plain
    assert [resolved["typed"](1), resolved["decorated"](1)] == [1.0, 1.0]
    assert {type(resolved["typed"](1)), type(resolved["decorated"](1))} == {float}
