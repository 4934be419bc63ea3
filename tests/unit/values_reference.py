"""What docs/values.md says of annotations and values, written slowly and obviously: the conversion is compared with it.

A `Spec` is an annotation with what it means: nothing here looks at an annotation, and the package gives nothing but the
comparison of values.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import random
import re
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, make_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypedDict, TypeVar
from uuid import UUID

from annotated_types import MaxLen, MinLen
from pydantic import BaseModel, Field, StringConstraints, ValidationError

from mprun.language.equality import same

T = TypeVar("T")


class RefusedError(Exception):
    """The value is not what the annotation asks for. `in_two_ways`: it could be two different ones."""

    def __init__(self, *, in_two_ways: bool = False) -> None:
        super().__init__()
        self.in_two_ways = in_two_ways


@dataclass(frozen=True)
class Rules:
    """`text`: text of a file, in which numbers are text. `returned`: what a step has returned has its type already."""

    text: bool = False
    returned: bool = False


Read = Callable[[Any, Rules], Any]
Sample = Callable[[random.Random], Any]


@dataclass(frozen=True)
class Spec:
    """An annotation, what it makes of a value (or RefusedError), and an example of what is written for it."""

    annotation: Any
    read: Read
    sample: Sample
    hashable: bool = True
    is_none: bool = False
    is_any: bool = False
    members: tuple[Spec, ...] = ()  # of a union
    fields: tuple[str, ...] = ()  # of a record, which a row of a file may be


# -- single values


def _scalar(
    kind: type, forms: Mapping[type, Callable[[Any], Any]], samples: Sequence[Any], of_text: Any = None
) -> Spec:
    def read(value: Any, rules: Rules) -> Any:
        if type(value) is kind:
            return value
        form = of_text if rules.text and type(value) is str and of_text else forms.get(type(value))
        if form is None:
            raise RefusedError
        try:
            return form(value)
        except (ValueError, InvalidOperation, OverflowError):
            raise RefusedError from None

    return Spec(kind, read, lambda chance: chance.choice(samples), is_none=kind is type(None))


def _matching(pattern: str, make: Callable[[str], Any]) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        if not re.fullmatch(pattern, text):
            raise ValueError(text)
        return make(text)

    return read


def _seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def _duration(text: str) -> timedelta:
    found = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", text)
    if not text or not found:
        raise ValueError(text)
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


# Spaces around a number, or a bool, don't matter.
_NUMBER = r"\s*([-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|nan|-?inf)\s*"
_DECIMAL = _matching(_NUMBER, Decimal)
_FLOAT = _matching(_NUMBER, float)
_BOOLS = {"true": True, "false": False}
_CLOCK = r"\d\d:\d\d(:\d\d)?"

SCALARS = [
    _scalar(int, {}, [0, 1, -7, 10**30], _matching(r"\s*[-+]?\d+\s*", int)),
    _scalar(float, {int: float}, [0.5, -0.0, 1, 1e300], _FLOAT),
    _scalar(str, {}, ["a", "", "5", "true", "2026-01-31", "red", "a b"]),
    _scalar(bool, {}, [True, False], _matching(r"\s*(?i:true|false)\s*", lambda text: _BOOLS[text.strip().lower()])),
    _scalar(type(None), {}, [None], _matching("", lambda _: None)),
    _scalar(type(Path()), {str: Path}, ["a/b", "", ".", "5"]),
    _scalar(date, {str: _matching(r"\d{4}-\d\d-\d\d", date.fromisoformat)}, ["2026-01-31", "2026-02-30"]),
    _scalar(
        datetime,
        {str: _matching(rf"\d{{4}}-\d\d-\d\d[T ]{_CLOCK}", datetime.fromisoformat)},
        ["2026-01-31T12:30", "2026-01-31 12:30:05", "2026-01-31"],
    ),
    _scalar(time, {str: _matching(_CLOCK, time.fromisoformat)}, ["12:30", "12:30:05", "25:00"]),
    _scalar(
        timedelta,
        {str: _duration, int: _seconds, float: _seconds},
        ["1m30s", "2h", 90, 0.5, -5],
        lambda text: _seconds(_FLOAT(text)) if re.fullmatch(_NUMBER, text) else _duration(text),
    ),
    _scalar(
        Decimal, {str: _DECIMAL, int: Decimal, float: lambda number: Decimal(repr(number))}, ["1.10", 5, 0.1, "1_0"]
    ),
    _scalar(UUID, {str: UUID}, ["12345678-1234-5678-1234-567812345678", "1234"]),
]
PATH = next(spec for spec in SCALARS if spec.annotation is type(Path()))
SCALARS[SCALARS.index(PATH)] = dataclasses.replace(PATH, annotation=Path)
INT, FLOAT, STR = SCALARS[:3]
NONE = SCALARS[4]
ANY = Spec(
    Any, lambda value, _: value, lambda chance: chance.choice([1, True, "1", [1], {"a": None}]), False, False, True
)


# -- choices


class Color(enum.Enum):
    RED = "red"
    GREEN = "green"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Mood(enum.StrEnum):
    GOOD = "good"


class Ratio(enum.Enum):
    HALF = 0.5
    NONE = None
    YES = True


_TEXT_OF = {int: INT, float: FLOAT, bool: SCALARS[3], type(None): NONE}


def _means(option: Any, value: Any, rules: Rules) -> bool:
    """Whether `value` is `option`, or the text of a file that stands for it."""
    if type(value) is type(option):
        return same(value, option)
    try:
        return rules.text and type(value) is str and _TEXT_OF[type(option)].read(value, rules) == option
    except (KeyError, RefusedError):
        return False


def _enumeration(kind: type[enum.Enum]) -> Spec:
    def read(value: Any, rules: Rules) -> Any:
        if isinstance(value, kind):
            return value
        for meant in (Rules(), rules):
            for member in kind:
                if _means(member.value, value, meant):
                    return member
        for member in kind:
            names = [member.name, *([f"{kind.__module__}.{kind.__name__}.{member.name}"] if rules.text else [])]
            if type(value) is str and value in names:
                return member
        raise RefusedError

    written = [*(member.value for member in kind), *kind.__members__]
    return Spec(kind, read, lambda chance: chance.choice(written))


def _literal(*options: Any) -> Spec:
    def read(value: Any, rules: Rules) -> Any:
        for meant in (Rules(), rules):  # the text `1` is "1" before it stands for 1
            for option in options:
                if _means(option, value, meant):
                    return option
        raise RefusedError

    return Spec(Literal[options], read, lambda chance: chance.choice(options))


CHOICES = [
    *map(_enumeration, (Color, Level, Mood, Ratio)),
    *(_literal("fast", "slow"), _literal(1, "1", True), _literal(0, None, "a")),
]


def read_all(pairs: Iterable[tuple[Spec, Any]], rules: Rules) -> list[Any]:
    """Each value as its spec has it; what is only unclear is so as a whole."""
    made, refusals = [], []
    for spec, value in pairs:
        try:
            made.append(spec.read(value, rules))
        except RefusedError as refusal:
            refusals.append(refusal)
    if refusals:
        raise RefusedError(in_two_ways=all(refusal.in_two_ways for refusal in refusals))
    return made


def union(given: Sequence[Spec]) -> Spec:
    """The first that takes a number or a list as it is; else what all agree on."""
    members = [member for each in given for member in (each.members or [each])]

    def read(value: Any, rules: Rules) -> Any:
        if any(member.is_any for member in members):
            return value
        if rules.text and value == "" and type(value) is str and any(member.is_none for member in members):
            return None
        readings, refusals = [], []
        for member in members:
            try:
                readings.append(member.read(value, rules))
            except RefusedError as refusal:
                refusals.append(refusal)
        if any(same(reading, value) for reading in readings) and (rules.returned or not _stands_for_much(value)):
            return value
        if not readings or any(refusal.in_two_ways for refusal in refusals):
            raise RefusedError(in_two_ways=any(refusal.in_two_ways for refusal in refusals))
        best = readings[0]
        for reading in readings[1:]:
            best = _agreed(best, reading)
        return best

    return Spec(
        typing.Union[tuple(member.annotation for member in members)],  # noqa: UP007 -- its members are a tuple
        read,
        lambda chance: chance.choice(members).sample(chance),
        all(member.hashable for member in members),
        any(member.is_none for member in members),
        any(member.is_any for member in members),
        members=tuple(members),
    )


def _stands_for_much(value: Any) -> bool:
    return isinstance(value, str | dict) or (isinstance(value, list) and any(map(_stands_for_much, value)))


def _agreed(one: Any, other: Any) -> Any:
    if type(one) is type(other) and type(one) in (list, tuple) and len(one) == len(other):
        return type(one)(_agreed(*pair) for pair in zip(one, other, strict=True))
    if type(one) is type(other) and type(one) is dict and same(list(one), list(other)):
        return {key: _agreed(one[key], other[key]) for key in one}
    if same(one, other):
        return one
    if {type(one), type(other)} == {int, float} and one == other:
        return one if type(one) is int else other
    for kind, plain in ((Mood, str), (Level, int)):
        if {type(one), type(other)} == {kind, plain} and one == other:
            return plain(one)
    raise RefusedError(in_two_ways=True)


# -- containers and records


def sequence(element: Spec, kind: str) -> Spec:
    """`list[…]` and the like, of a list of any length."""
    made: dict[str, tuple[Any, Any, tuple[type, ...]]] = {
        "list": (list[element.annotation], list, (list,)),  # type: ignore[name-defined]
        "tuple": (tuple[element.annotation, ...], tuple, (list, tuple)),  # type: ignore[name-defined]
        "set": (set[element.annotation], set, (list, set, frozenset)),  # type: ignore[name-defined]
        "frozenset": (frozenset[element.annotation], frozenset, (list, set, frozenset)),  # type: ignore[name-defined]
        "Sequence": (Sequence[element.annotation], list, (list,)),  # type: ignore[name-defined]
    }
    annotation, make, taken = made[kind]

    def read(value: Any, rules: Rules) -> Any:
        if kind == "Sequence" and (type(value) is tuple or (type(value) is str and (element is STR or element.is_any))):
            return value  # a text is a sequence of texts
        if not isinstance(value, taken):
            raise RefusedError
        items = read_all([(element, item) for item in value], rules)
        try:
            return make(items)
        except TypeError:  # a set of what can't be hashed
            raise RefusedError from None

    hashable = kind == "frozenset" or (kind == "tuple" and element.hashable)
    return Spec(annotation, read, lambda chance: _samples(chance, [element] * chance.randrange(3)), hashable)


def fixed_tuple(elements: Sequence[Spec]) -> Spec:
    def read(value: Any, rules: Rules) -> Any:
        if not isinstance(value, list | tuple) or len(value) != len(elements):
            raise RefusedError
        return tuple(read_all(zip(elements, value, strict=True), rules))

    annotation = tuple[tuple(element.annotation for element in elements)]  # type: ignore[misc]
    return Spec(annotation, read, lambda chance: _samples(chance, elements), all(each.hashable for each in elements))


def mapping(key: Spec, item: Spec, kind: Any = dict) -> Spec:
    def read(value: Any, rules: Rules) -> Any:
        if not isinstance(value, dict):
            raise RefusedError
        pairs = [(spec, part) for entry in value.items() for spec, part in zip((key, item), entry, strict=True)]
        parts = read_all(pairs, rules)
        entries = dict(zip(parts[::2], parts[1::2], strict=True))
        if len(entries) < len(value):
            raise RefusedError
        return entries

    def sample(chance: random.Random) -> Any:
        names = [key.sample(chance) for _ in range(chance.randrange(3))]
        return {name: item.sample(chance) for name in names if isinstance(name, str | int | float | None)}

    return Spec(kind[key.annotation, item.annotation], read, sample, hashable=False)


def record(form: str, fields: Mapping[str, Spec], number: int) -> Spec:
    """A dataclass, a NamedTuple or a TypedDict; the last of its fields may be left out, where it can be."""
    annotations = {name: spec.annotation for name, spec in fields.items()}
    name, *_, last = f"{form}{number}", *fields
    made: Any
    if form == "dataclass":
        made = make_dataclass(name, annotations.items(), frozen=True)
    elif form == "NamedTuple":
        made = NamedTuple(name, list(annotations.items()))  # type: ignore[misc]
    else:
        written = {**annotations, last: typing.NotRequired[annotations[last]]}
        made = TypedDict(name, written)  # type: ignore[operator]

    def read(value: Any, rules: Rules) -> Any:
        if form != "TypedDict" and isinstance(value, made):
            return value
        if form == "NamedTuple" and isinstance(value, list | tuple) and len(value) <= len(fields):
            value = dict(zip(fields, value, strict=False))
        optional = {last} if form == "TypedDict" else set()
        if (
            type(value) is not dict
            or set(fields) - set(value) - optional
            or (set(value) - set(fields) and not rules.text)
        ):
            raise RefusedError
        names = [name for name in value if name in fields]
        parts = read_all([(fields[name], value[name]) for name in names], rules)
        read_fields = dict(zip(names, parts, strict=True))
        return made(**read_fields) if form != "TypedDict" else {**value, **read_fields}

    def sample(chance: random.Random) -> Any:
        values = {name: spec.sample(chance) for name, spec in fields.items()}
        return list(values.values()) if form == "NamedTuple" and chance.random() < 0.3 else values

    return Spec(made, read, sample, hashable=False, fields=tuple(fields))


@dataclass(frozen=True)
class Box(Generic[T]):
    value: T


def box(inside: Spec) -> Spec:
    """A generic class with its argument."""

    def read(value: Any, rules: Rules) -> Any:
        if isinstance(value, Box):
            return value
        if type(value) is not dict or "value" not in value or (len(value) > 1 and not rules.text):
            raise RefusedError
        return Box(inside.read(value["value"], rules))

    annotation = Box[inside.annotation]  # type: ignore[name-defined]
    return Spec(annotation, read, lambda chance: {"value": inside.sample(chance)}, hashable=False, fields=("value",))


class Settings(BaseModel):
    port: int = Field(gt=0)
    start: date | None = None


def _read_settings(value: Any, rules: Rules) -> Any:
    """Inside a model Pydantic reads, as strictly as it reads JSON; text of a file as it reads text."""
    if isinstance(value, Settings):
        return value
    if type(value) is not dict:
        raise RefusedError
    try:
        if rules.text:
            row = {name: None if name == "start" and item == "" else item for name, item in value.items()}
            return Settings.model_validate(row)
        return Settings.model_validate_json(json.dumps(value), strict=True)
    except (ValidationError, TypeError):
        raise RefusedError from None


MODEL = Spec(
    Settings,
    _read_settings,
    lambda chance: {"port": chance.choice([1, 80, 0, "80"]), "start": chance.choice([None, "2026-01-31"])},
    hashable=False,
    fields=("port", "start"),
)


def _samples(chance: random.Random, specs: Sequence[Spec]) -> list[Any]:
    return [spec.sample(chance) for spec in specs]


# -- constraints


def constrained(inside: Spec, marks: Sequence[Any], holds: Callable[[Any], bool], then: Callable[[Any], Any]) -> Spec:
    def read(value: Any, rules: Rules) -> Any:
        made = then(inside.read(value, rules))
        if not holds(made):
            raise RefusedError
        return made

    annotation = Annotated[inside.annotation, *marks]
    return dataclasses.replace(inside, annotation=annotation, read=read, fields=())


def _itself(value: Any) -> Any:
    return value


CONSTRAINED = [
    constrained(INT, [Field(gt=0)], lambda number: number > 0, _itself),
    constrained(FLOAT, [Field(le=1)], lambda number: number <= 1, _itself),
    constrained(STR, [StringConstraints(to_upper=True, max_length=4)], lambda text: len(text) <= 4, str.upper),
]


def bounded(inside: Spec) -> Spec:
    """A list or a set of one or two."""
    return constrained(inside, [MinLen(1), MaxLen(2)], lambda value: 1 <= len(value) <= 2, _itself)


# -- any of them


def some(chance: random.Random, depth: int = 3, *, hashable: bool = False) -> Spec:
    """A random annotation, nested `depth` deep at most."""
    while hashable:
        found = some(chance, depth)
        if found.hashable and not found.is_any:
            return found
    if depth == 0 or chance.random() < 0.3:
        return chance.choice([*SCALARS, *CHOICES, *CONSTRAINED, MODEL, ANY])
    deeper = depth - 1
    match chance.choice(["sequence", "set", "tuple", "dict", "record", "box", "optional", "union", "bounded"]):
        case "sequence":
            element = some(chance, deeper)
            of_text = ["Sequence"] if not element.members else []  # of which a text may be one, too
            return sequence(element, chance.choice(["list", "tuple", *of_text]))
        case "set":
            return sequence(some(chance, deeper, hashable=True), chance.choice(["set", "frozenset"]))
        case "tuple":
            return fixed_tuple([some(chance, deeper) for _ in range(chance.randrange(1, 3))])
        case "dict":
            keys = chance.choice([*SCALARS, *CHOICES])
            return mapping(keys, some(chance, deeper), chance.choice([dict, Mapping]))
        case "record":
            form = chance.choice(["dataclass", "NamedTuple", "TypedDict"])
            names = ["x", "y"][: chance.randrange(1, 3)]
            return record(form, {name: some(chance, deeper) for name in names}, chance.randrange(10**9))
        case "box":
            return box(some(chance, deeper))
        case "optional":
            return union([some(chance, deeper), NONE])
        case "union":
            return union([some(chance, deeper) for _ in range(chance.randrange(2, 4))])
    return bounded(sequence(some(chance, deeper), "list"))


JUNK: list[Any] = [
    *(None, True, False, 0, 1, 2, -1, 0.0, -0.0, 1.0, 1.5, 1e300, "", "5", "1_000", "true", "a", "red", "RED", "none"),
    *("2026-01-31", "2026-01-31T12:30", "12:30", "1m30s", "1.5", " 1", " true", "null", [], ["a"], [1], [[1]], {}),
    *({"x": 1}, {"value": "a"}, {"port": 1}, {"a": 1, "b": 2}),
]


def value_for(spec: Spec, chance: random.Random) -> Any:
    """Plain data as YAML and JSON give it: what could be meant for `spec`, often with something wrong in it."""
    return _disturbed(spec.sample(chance), chance)


def _disturbed(value: Any, chance: random.Random) -> Any:
    if chance.random() < 0.12:
        return chance.choice(JUNK)
    if type(value) is list:
        return [_disturbed(item, chance) for item in value]
    if type(value) is dict:
        return {name: _disturbed(item, chance) for name, item in value.items() if chance.random() > 0.03}
    return value


def text_for(spec: Spec, chance: random.Random) -> str:
    """What stands in a file of texts."""
    value = value_for(spec, chance)
    return "" if value is None else value if type(value) is str else str(value)
