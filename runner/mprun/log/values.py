"""Any Python value as JSON: exact where JSON has a form for it, marked where it has none, and always bounded.

A value that JSON lacks becomes an object with one `$…` key:

| value | form |
|---|---|
| NaN, infinities | `{"$float": "nan"}`, `{"$float": "inf"}`, `{"$float": "-inf"}` |
| bytes, bytearray | `{"$bytes": "<base64>"}` |
| date, datetime, time | `{"$date": "2026-01-31"}`, `{"$datetime": …}`, `{"$time": …}` (ISO 8601) |
| timedelta | `{"$timedelta": <seconds>}` |
| Decimal, UUID, Path, complex | `{"$decimal": "1.10"}`, `{"$uuid": …}`, `{"$path": …}`, `{"$complex": [re, im]}` |
| set, frozenset | `{"$set": […]}` (sorted if its members can be) |
| Enum | `{"$enum": "module.Class.NAME"}` |
| dict with keys that are not text, or that begin with `$` | `{"$dict": [[key, value], …]}` |
| dataclass, NamedTuple, Pydantic model | `{"$fields": {…}, "type": "module.Class"}` |
| numpy scalar | as its Python scalar |
| anything else | `{"$repr": "…", "type": "module.Class"}` |
| nested deeper than 32, or larger than the bound | `{"$repr": "…", "type": …, "size": <len(), if it has one>}` |

A tuple becomes an array. A lone surrogate, which UTF-8 can't encode, becomes the text `\\udcXX`. A `repr` is cut at 200
characters; one that raises is replaced by the name of the exception.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from typing import Any

MAX_VALUE = 16 * 1024  # bytes of one value in a line of the log
MAX_DEPTH = 32
MAX_REPR = 200


class _TooLargeError(Exception):
    """The value exceeds its bound."""


class NoExactFormError(ValueError):
    """A value that neither JSON nor the forms above can hold without loss."""


def to_json(value: Any, limit: int = MAX_VALUE) -> str:
    """Return the JSON text of `value`, about `limit` bytes of UTF-8 at most. Never raises, whatever the value is."""
    kind = type(value)
    # The three quick ways below cover most results of small tasks. The bound on ints keeps a huge one from being
    # formatted, which takes time in the square of its length. The bound on texts is a sixth of the limit, because JSON
    # writes one character as about six bytes at most.
    if kind is int and -(2**63) <= value < 2**64:
        return int.__repr__(value)
    if kind is str and len(value) < limit // 6:
        return _text(value)
    if value is None:
        return "null"
    try:
        text = json.dumps(_Reducer(limit).reduce(value, 0), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        if len(text.encode()) <= limit:
            return text
    except BaseException:  # noqa: BLE001 -- a value's own methods may raise anything; its repr remains
        pass
    return json.dumps(summarised(value), ensure_ascii=False)


def exact_json(value: Any) -> str:
    """Return the JSON text of the whole `value`, however large.

    An instance of a subclass of a plain type is written as that type. Raises NoExactFormError if a part of it has no
    exact form. Exceptions of the value's own methods pass through.
    """
    try:
        reduced = _ExactReducer(math.inf).reduce(value, 0)
        return json.dumps(reduced, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except RecursionError:
        raise NoExactFormError("it is nested too deep, or holds itself") from None
    except ValueError as error:  # an int with more digits than `sys.set_int_max_str_digits` allows
        raise NoExactFormError(str(error)) from None


def fields_of(value: Any) -> Mapping[Any, Any] | None:
    """Return the fields of a mapping, dataclass, NamedTuple or Pydantic model by name; None for any other value."""
    return value if isinstance(value, Mapping) else _fields(value, type(value))


def scalar_text(value: Any) -> str | None:
    """Return `value` as the text of one cell: empty for None. Return None if it is not a scalar."""
    if value is None:
        return ""
    reduced = _Reducer(math.inf).reduce(value, 0) if not isinstance(value, str) else value
    if isinstance(reduced, dict) and len(reduced) == 1:
        mark, reduced = next(iter(reduced.items()))
        if mark not in _SCALAR_MARKS:
            return None
    return spelled_out(str(reduced)) if isinstance(reduced, str | int | float) else None


def summarised(value: Any) -> dict[str, Any]:
    """Return the form of a value that is too large or has no form: a bounded `repr`, its type and its length."""
    form: dict[str, Any] = {"$repr": bounded_repr(value), "type": type_name(type(value))}
    try:
        form["size"] = len(value)
    except BaseException:  # noqa: BLE001 -- __len__ is the user's code
        return form
    return form


def bounded_repr(value: Any, limit: int = MAX_REPR) -> str:
    """Return `repr(value)`, cut at `limit` characters; if `repr` raises, the name of the exception's type."""
    try:
        text = _cheap_repr(value, limit)
    except BaseException as error:  # noqa: BLE001 -- __repr__ is the user's code
        return f"<{type_name(type(value))}: its repr raised {type(error).__name__}>"
    text = spelled_out(text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _cheap_repr(value: Any, limit: int) -> str:
    """Return the `repr`, of long built-in containers and texts only of their beginning.

    The whole `repr` of a large list can take 100 MB, of which 200 characters are used.
    """
    if isinstance(value, (str, bytes, bytearray)) and len(value) > limit:
        return repr(value[:limit]) + "…"
    if type(value) in (list, tuple) and len(value) > limit:
        return repr(value[:limit])
    if type(value) is int and value.bit_length() > 2000:
        return hex(value >> (value.bit_length() - 64))[:18] + "…"
    return repr(value)


def type_name(kind: type) -> str:
    """Return the qualified name of a class, without `builtins`."""
    module = getattr(kind, "__module__", "")
    name = getattr(kind, "__qualname__", str(kind))
    return str(name) if module == "builtins" else f"{module}.{name}"


def spelled_out(text: str) -> str:
    """Return `text` with lone surrogates, which strict UTF-8 can't encode, as visible escapes."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _text(text: str) -> str:
    return json.dumps(spelled_out(text), ensure_ascii=False)


class _Reducer:
    """Turns a value into data for `json.dumps`. Gives up after about `limit` bytes.

    The bound counts while the value is walked: a list of a billion numbers is left after the first few thousand.
    """

    max_depth: float = MAX_DEPTH

    def __init__(self, limit: float) -> None:
        self._left = limit

    def reduce(self, value: Any, depth: int) -> Any:
        kind = type(value)
        self._spend(value if kind in (str, bytes, bytearray) else "")
        if value is None or kind is bool:
            return value
        if kind is str:
            return spelled_out(value)
        if kind is int:
            self._spend_bits(value)
            return value
        if kind is float:
            return value if math.isfinite(value) else {"$float": repr(value)}
        if depth >= self.max_depth:
            return self._other(value, depth)
        return self._compound(value, kind, depth + 1)

    def _spend(self, text: str | bytes) -> None:
        self._left -= len(text) + 2
        if self._left < 0:
            raise _TooLargeError

    def _spend_bits(self, number: int) -> None:
        self._left -= number.bit_length() // 4
        if self._left < 0:
            raise _TooLargeError

    def _compound(self, value: Any, kind: type, depth: int) -> Any:
        if kind in (list, tuple):
            return [self.reduce(item, depth) for item in value]
        if kind is dict:
            return self._mapping(value, depth)
        if kind in (bytes, bytearray):
            import base64

            return {"$bytes": base64.b64encode(value).decode()}
        if kind in (set, frozenset):
            return {"$set": [self.reduce(item, depth) for item in _sorted(value)]}
        if kind is complex:
            return {"$complex": [self.reduce(value.real, depth), self.reduce(value.imag, depth)]}
        return self._known_class(value, kind, depth)

    def _mapping(self, value: dict[Any, Any], depth: int) -> Any:
        if all(type(key) is str and not key.startswith("$") for key in value):
            for key in value:
                self._spend(key)
            return {spelled_out(key): self.reduce(item, depth) for key, item in value.items()}
        return {"$dict": [[self.reduce(key, depth), self.reduce(item, depth)] for key, item in value.items()]}

    def _known_class(self, value: Any, kind: type, depth: int) -> Any:
        # A class is looked up only in modules that are loaded already. No value can have a class from another module,
        # and a worker that returns numbers need not import `decimal` to find that out.
        for module, classes in _SCALAR_FORMS.items():
            loaded = sys.modules.get(module)
            for name, (mark, form) in classes.items() if loaded else ():
                if isinstance(value, getattr(loaded, name)):
                    return {mark: form(value)}
        numpy = sys.modules.get("numpy")
        if numpy is not None and isinstance(value, numpy.generic):
            return self.reduce(value.item(), depth)
        fields = _fields(value, kind)
        if fields is None:
            return self._other(value, depth)
        return {"$fields": {name: self.reduce(item, depth) for name, item in fields.items()}, "type": type_name(kind)}

    def _other(self, value: Any, depth: int) -> Any:
        """Return the form of a value that has no form of its own."""
        return summarised(value)


_PLAIN: tuple[Any, ...] = (dict, list, tuple, str, int, float, set, frozenset, bytes, bytearray)


class _ExactReducer(_Reducer):
    """Leaves nothing out: a value without an exact form is an error."""

    max_depth = math.inf

    def _other(self, value: Any, depth: int) -> Any:
        for plain in _PLAIN:
            if isinstance(value, plain):
                return self.reduce(plain(value), depth)
        raise NoExactFormError(f"it is, or holds, a {type_name(type(value))}")


# `datetime` stands before `date`, because every datetime is a date.
_SCALAR_FORMS: dict[str, dict[str, tuple[str, Any]]] = {
    "enum": {"Enum": ("$enum", lambda value: f"{type_name(type(value))}.{value.name}")},
    "datetime": {
        "datetime": ("$datetime", lambda value: value.isoformat()),
        "date": ("$date", lambda value: value.isoformat()),
        "time": ("$time", lambda value: value.isoformat()),
        "timedelta": ("$timedelta", lambda value: value.total_seconds()),
    },
    "decimal": {"Decimal": ("$decimal", str)},
    "uuid": {"UUID": ("$uuid", str)},
    "pathlib": {"PurePath": ("$path", lambda value: spelled_out(str(value)))},
}

# The marks of forms that hold one text or number.
_SCALAR_MARKS = {"$float", *(mark for classes in _SCALAR_FORMS.values() for mark, _ in classes.values())}


def _fields(value: Any, kind: type) -> dict[str, Any] | None:
    """Return the fields of a dataclass, a NamedTuple or a Pydantic model.

    Each is recognised by a documented attribute, without an import.
    """
    if hasattr(kind, "__dataclass_fields__"):
        return {name: getattr(value, name) for name in kind.__dataclass_fields__ if hasattr(value, name)}
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        return dict(zip(kind._fields, value, strict=False))
    if hasattr(kind, "__pydantic_fields__"):
        return {name: getattr(value, name) for name in kind.__pydantic_fields__}
    return None


def _sorted(values: Any) -> list[Any]:
    try:
        return sorted(values)
    except TypeError:
        return list(values)
