"""The value of a parameter: what its type takes, from YAML unchanged, and from text by parsing.

The value is plain data: a `date` stays text (a target's annotation converts it), a `duration` is a number of seconds,
and a `path` from the command line is absolute.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import date
from typing import Any

from mprun.format.params import ParamEntry, ParamType
from mprun.format.values import read_duration
from mprun.language.equality import equal
from mprun.loading.mistakes import found, is_number, short
from mprun.log.masking import MIN_SECRET

BOUNDED = ("int", "float", "date", "duration")
WITH_PATTERN = ("str", "path")


class ParamError(ValueError):
    """A parameter doesn't take a value. The message is a sentence without a subject, and what to write instead."""

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice


def type_of(entry: ParamEntry) -> ParamType:
    """Return the declared type, else the type of the default, else `str`."""
    if entry.type is not None:
        return entry.type
    if entry.choices:
        return "enum"
    if "default" not in entry.model_fields_set:
        return "str"
    kinds: dict[type, ParamType] = {bool: "bool", int: "int", float: "float", list: "list"}
    return kinds.get(type(entry.default), "str")


def item_type(entry: ParamEntry) -> ParamType:
    """Return the type of a list's items: as declared, else as in the default, else text."""
    if entry.items is not None:
        return entry.items
    first = entry.default[0] if isinstance(entry.default, list) and entry.default else ""
    kinds: dict[type, ParamType] = {bool: "bool", int: "int", float: "float"}
    return kinds.get(type(first), "str")


def read_value(entry: ParamEntry, value: Any, *, is_text: bool, folder: str = "") -> Any:
    """Return `value` as the parameter `entry` takes it. Raises ParamError.

    `is_text` says that it comes from a command line or a variable, where everything is text. A path then starts from
    `folder`.
    """
    kind = type_of(entry)
    if kind == "enum":
        return _choice(entry, value)
    read = _typed(kind, entry, value, is_text=is_text)
    for each in read if kind == "list" else [read]:
        _check_choice(entry, each)
    if kind == "path" and is_text:
        read = os.path.abspath(os.path.join(folder, read))
    _check_bounds(entry, kind, read)
    if entry.secret:
        _check_secret(read)
    return read


def _typed(kind: ParamType, entry: ParamEntry, value: Any, *, is_text: bool) -> Any:
    if kind == "list":
        return _list(entry, value, is_text=is_text)
    if is_text:
        return _READERS[kind](str(value))
    return _strict(kind, value)


def _strict(kind: ParamType, value: Any) -> Any:
    """Return `value` from YAML, which must have exactly the type, except that a whole number is a float too."""
    if kind == "bool" and isinstance(value, bool):
        return value
    if kind == "int" and is_number(value) and isinstance(value, int):
        return value
    if kind == "float" and is_number(value):
        return float(value)
    if kind == "duration" and not isinstance(value, bool):
        return _duration(value)
    if kind in ("str", "path", "date") and isinstance(value, str):
        return _READERS[kind](value)
    raise ParamError(f"takes {TAKES[kind]}, not {found(value)}", _advice(kind, value))


def _advice(kind: ParamType, value: Any) -> str:
    if kind in ("int", "float") and isinstance(value, str) and re.fullmatch(r"[-+]?[0-9.]+", value):
        return "write it without quotes"
    if kind in ("str", "path", "date") and is_number(value):
        return "put it in quotes to make it text"
    return ""


def _list(entry: ParamEntry, value: Any, *, is_text: bool) -> list[Any]:
    kind = item_type(entry)
    if is_text:
        parts = [part.strip() for part in str(value).split(",")] if str(value).strip() else []
        return [_READERS[kind](part) for part in parts]
    if not isinstance(value, list):
        raise ParamError(f"takes {TAKES['list']}, not {found(value)}")
    return [_strict(kind, item) for item in value]


def _choice(entry: ParamEntry, value: Any) -> Any:
    """Return the choice that equals `value`, or whose text is `value`."""
    for is_meant in (equal, _is_text_of):  # the text `"1"` is the choice `"1"` before it is a way to write `1`
        for choice in entry.choices:
            if is_meant(choice, value):
                return choice
    raise ParamError(f"takes {_one_of(entry.choices)}, not {found(value)}")


def _is_text_of(choice: Any, value: Any) -> bool:
    return isinstance(value, str) and value == _written(choice)


def _check_choice(entry: ParamEntry, value: Any) -> None:
    if entry.choices and not any(equal(value, typed_choice(entry, choice)) for choice in entry.choices):
        raise ParamError(f"takes {_one_of(entry.choices)}, not {found(value)}")


def typed_choice(entry: ParamEntry, choice: Any) -> Any:
    """Return one of `choices` as a value of the type, or of the type of a list's items. Raises ParamError."""
    kind = type_of(entry)
    return choice if kind == "enum" else _strict(item_type(entry) if kind == "list" else kind, choice)


def _written(choice: Any) -> str:
    return str(choice).lower() if isinstance(choice, bool) else str(choice)


def _one_of(choices: list[Any]) -> str:
    return " or ".join(f"`{short(_written(choice))}`" for choice in choices[:12])


def _check_bounds(entry: ParamEntry, kind: ParamType, value: Any) -> None:
    if kind in BOUNDED:
        least, most = (bound(entry, name) for name in ("minimum", "maximum"))
        if least is not None and not value >= least:  # `not >=` instead of `<`, because both are false for NaN
            raise ParamError(f"is at least {short(entry.minimum)}, not {short(value)}")
        if most is not None and not value <= most:
            raise ParamError(f"is at most {short(entry.maximum)}, not {short(value)}")
    if kind in WITH_PATTERN and entry.pattern and not re.fullmatch(entry.pattern, value):
        raise ParamError(f"takes a text that matches `{short(entry.pattern)}`, not {found(value)}")


def _check_secret(value: str) -> None:
    if len(value) < MIN_SECRET:
        raise ParamError(f"is a secret, and shorter than {MIN_SECRET} characters: it could not be masked")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ParamError("is a secret, and not UTF-8 text: it could not be masked")


def bound(entry: ParamEntry, name: str) -> Any:
    """Return `minimum` or `maximum` as a value of the type; None if there is none. Raises ParamError."""
    written = getattr(entry, name)
    return None if written is None else _strict(type_of(entry), written)


def _int(text: str) -> int:
    if not re.fullmatch(r"[-+]?[0-9]{1,1000}", text.strip()):
        raise ParamError(f"takes {TAKES['int']}, not the text `{short(text)}`")
    return int(text)


def _float(text: str) -> float:
    try:
        return float(text if "_" not in text else "")  # Python reads `1_000`; a text from outside has no such digits
    except ValueError:
        raise ParamError(f"takes {TAKES['float']}, not the text `{short(text)}`") from None


def _bool(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ParamError(f"takes {TAKES['bool']}, not the text `{short(text)}`")
    return text.lower() == "true"


def _path(text: str) -> str:
    if not text or "\0" in text:
        raise ParamError(f"takes {TAKES['path']}, not {found(text)}")
    return text


def _date(text: str) -> str:
    try:
        return date.fromisoformat(text.strip()).isoformat()
    except ValueError:
        raise ParamError(f"takes {TAKES['date']}, not the text `{short(text)}`") from None


def _duration(value: Any) -> float:
    try:
        return read_duration(float(value) if isinstance(value, str) and value.isdecimal() else value)
    except ValueError as error:
        raise ParamError(f"takes {TAKES['duration']}, not {found(value)}", str(error)) from None


_READERS: dict[ParamType, Callable[[str], Any]] = {
    "int": _int,
    "float": _float,
    "bool": _bool,
    "str": str,
    "path": _path,
    "date": _date,
    "duration": _duration,
}
TAKES: dict[ParamType, str] = {
    "int": "a whole number",
    "float": "a number",
    "bool": "`true` or `false`",
    "str": "text",
    "path": "a path",
    "date": "a date such as `2026-01-31`",
    "duration": "a number of seconds, or text such as `30s`, `1m30s`, `500ms`",
    "list": "a list",
}
