"""Values of a single piece: numbers, text, paths, times. One table says what each is made of."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path, PosixPath, PurePath, PurePosixPath
from types import NoneType
from typing import Any
from uuid import UUID

from mprun.language.durations import seconds_in
from mprun.worker.conversion.converter import PLAIN, Convert, Converter, refused
from mprun.worker.conversion.marks import NOTHING, content

_WHOLE = re.compile(r"\s*[+-]?[0-9]+\s*")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATE_AND_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:.+")
_TIME = re.compile(r"[0-9]{2}:.+")
_ISO_DURATION = re.compile(
    r"P(?=[0-9T])(?:([0-9]+)D)?(?:T(?=[0-9])(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+(?:\.[0-9]+)?)S)?)?"
)
_OTHER_BOOLS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def read_int(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise ValueError(text)
    return int(text)


def read_float(text: str) -> float:
    if "_" in text:
        raise ValueError(text)
    return float(text)


def read_bool(text: str) -> bool:
    words = {"true": True, "false": False}
    word = text.strip().lower()
    if word not in words:
        raise ValueError(text)
    return words[word]


def read_nothing(text: str) -> None:
    if text:
        raise ValueError(text)


def _read_date(text: str) -> date:
    return date.fromisoformat(_of_form(_DATE, text))


def _read_datetime(text: str) -> datetime:
    return datetime.fromisoformat(_of_form(_DATE_AND_TIME, text))


def _read_time(text: str) -> time:
    return time.fromisoformat(_of_form(_TIME, text))


def _read_timedelta(text: str) -> timedelta:
    if not text.startswith("P"):
        return timedelta(seconds=seconds_in(text))
    parts = _ISO_DURATION.fullmatch(text)
    if parts is None:
        raise ValueError(text)
    days, hours, minutes, seconds = (float(part or 0) for part in parts.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def _seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def _exact(number: float) -> Decimal:
    """The number as it is written, not as the nearest binary fraction."""
    return Decimal(repr(number))


def _read_decimal(text: str) -> Decimal:
    if "_" in text:
        raise ValueError(text)
    return Decimal(text)


def _timedelta_of_text(text: str) -> timedelta:
    """A column of seconds is text too."""
    try:
        return _seconds(read_float(text))
    except ValueError:
        return _read_timedelta(text)


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _complex(parts: list[Any]) -> complex:
    real, imaginary = (part if (text := content(part, "$float")) is NOTHING else read_float(text) for part in parts)
    return complex(real, imaginary)


def _refuse(value: Any) -> Any:
    raise ValueError(value)


def _of_form(form: re.Pattern[str], text: str) -> str:
    """The standard library's own readers take more forms than a reader of a workflow would know."""
    if not form.fullmatch(text):
        raise ValueError(text)
    return text


@dataclass(frozen=True, slots=True)
class Scalar:
    """How a value is made of another, by the type of that: `always`, or only `perhaps` (ValueError, ArithmeticError).

    `from_text` reads text from outside, where text in a workflow is refused or means something else. A value with the
    method `stands_in`, such as a number of numpy's, passes as it is. `mark` is the key of the form that JSON has for a
    value (marks.py), `from_mark` reads what stands below it; without that the others do.
    """

    takes: str
    always: Mapping[type, Convert] = field(default_factory=dict)
    perhaps: Mapping[type, Convert] = field(default_factory=dict)
    from_text: Convert | None = None
    stands_in: str = ""
    mark: str = ""
    from_mark: Convert | None = None


SCALARS: dict[type, Scalar] = {
    int: Scalar("an int", from_text=read_int, stands_in="__index__"),
    float: Scalar(
        "a float",
        always={int: float},
        from_text=read_float,
        stands_in="__float__",
        mark="$float",
        from_mark=read_float,
    ),
    complex: Scalar(
        "a complex number",
        always={int: complex, float: complex},
        stands_in="__complex__",
        mark="$complex",
        from_mark=_complex,
    ),
    bool: Scalar("a bool", from_text=read_bool),
    str: Scalar("a str"),
    bytes: Scalar("bytes", mark="$bytes", from_mark=_bytes),
    NoneType: Scalar("`null`", from_text=read_nothing),
    date: Scalar("a date such as `2026-01-31`", perhaps={str: _read_date}, mark="$date"),
    datetime: Scalar("a datetime such as `2026-01-31T12:30:00`", perhaps={str: _read_datetime}, mark="$datetime"),
    time: Scalar("a time such as `12:30`", perhaps={str: _read_time}, mark="$time"),
    timedelta: Scalar(
        "a timedelta such as `1m30s`",
        perhaps={str: _read_timedelta, int: _seconds, float: _seconds},
        from_text=_timedelta_of_text,
        mark="$timedelta",
    ),
    Decimal: Scalar("a Decimal", always={int: Decimal, float: _exact}, perhaps={str: _read_decimal}, mark="$decimal"),
    UUID: Scalar("a UUID", perhaps={str: UUID}, mark="$uuid"),
}
SCALARS |= {
    path: Scalar("a Path", always={str: path}, mark="$path") for path in (Path, PosixPath, PurePath, PurePosixPath)
}


def scalar_converter(kind: type, text: bool) -> Converter:
    """The converter of a class in SCALARS; `text`: from text."""
    scalar = SCALARS[kind]
    readers = {**scalar.perhaps, **scalar.always}
    if text and scalar.from_text is not None:
        readers[str] = scalar.from_text

    def convert(value: Any) -> Any:
        given = type(value)
        if given is kind:
            return value
        read = readers.get(given)
        if read is None and (inside := content(value, scalar.mark)) is not NOTHING:
            read, value = scalar.from_mark or readers.get(type(inside), _refuse), inside
        if read is None:
            if given not in PLAIN and _passes(value, kind, scalar):
                return value
            raise refused(scalar.takes, value, _advice(kind, value))
        try:
            return read(value)
        except (ValueError, ArithmeticError, TypeError):
            raise refused(scalar.takes, value, _advice(kind, value)) from None

    itself = PLAIN & {kind}
    return Converter(scalar.takes, convert, itself | set(readers), itself | set(scalar.always), keeps=not readers)


def _passes(value: Any, kind: type, scalar: Scalar) -> bool:
    return isinstance(value, kind) or bool(scalar.stands_in and hasattr(value, scalar.stands_in))


def _advice(kind: type, value: Any) -> str:
    """What to write in the workflow, where that is known."""
    if kind is str and isinstance(value, bool | int | float):
        return "write it in quotes"
    if kind is int and isinstance(value, float) and value.is_integer():
        return f"write `{int(value)}`"
    if not isinstance(value, str):
        return ""
    if kind is bool and value.lower() in _OTHER_BOOLS:
        return f"write `{str(_OTHER_BOOLS[value.lower()]).lower()}`"
    if kind is datetime and _DATE.fullmatch(value):
        return f"write `{value}T00:00`"
    return "write it without quotes" if _is_number(kind, value) else ""


def _is_number(kind: type, text: str) -> bool:
    try:
        return kind in (int, float) and SCALARS[kind].from_text(text) is not None  # type: ignore[misc]
    except ValueError:
        return False
