"""Checks that what a step returns can be the rows of a csv file, by the function's annotation, without calling it.

It finds what `worker.calls.csv_rows` would find after the work. If the annotation leaves a possibility open, there is
no problem.
"""

from __future__ import annotations

import dataclasses
import inspect
import sys
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from inspect import Signature
from pathlib import PurePath
from typing import Any
from uuid import UUID

from mprun.worker.checks.problems import Problem, Use
from mprun.worker.conversion.build import unwrapped
from mprun.worker.conversion.converter import with_article
from mprun.worker.conversion.records import fields_of, is_record, type_hints
from mprun.worker.conversion.results import shown

Why = Callable[[Any], str]  # from an annotation to what has no row; empty if no mistake is known

_CELLS = (int, float, str, Enum, date, datetime, time, timedelta, Decimal, UUID, PurePath, types.NoneType)
_FRAMES = ("pandas", "polars")
_DEEPEST = 8  # levels of types in types; an alias may contain itself


class RowCheck:
    """Checks what the function of `use` returns against the csv file that its step saves."""

    def __init__(self, signature: Signature, use: Use, notes: tuple[str, ...]) -> None:
        self._returned = signature.return_annotation
        self._use = use
        self._notes = notes

    def problems(self) -> Iterator[Problem]:
        if not self._use.rows or self._returned is Signature.empty:
            return
        why = (_one_result if self._use.rows == "items" else _row)(self._returned)
        if why:
            name, returned = self._use.target.qualname, shown(self._returned)
            message = f"`{name}` returns `{returned}`, and {why} has no row in a csv file"
            yield Problem("no-row", message, ("save",), advice="a `.json` file takes any", notes=self._notes)


def _one_result(annotation: Any) -> str:
    """Return what has no row: the items of a list are rows, and anything else is one row."""

    def why(kind: Any) -> str:
        return _first(_row, _items(kind)) if _is_list(kind) else _row(kind)

    return _of_members(annotation, why)


def _row(annotation: Any) -> str:
    def why(kind: Any) -> str:
        if _is_list(kind):
            return _first(_cell, _items(kind))
        if (fields := _fields(kind)) is not None:
            return _first(_cell, fields)
        return "" if _has_rows_below(kind) else _cell(kind)

    return _of_members(annotation, why)


def _cell(annotation: Any) -> str:
    """Return what a single cell can't hold."""

    def why(kind: Any) -> str:
        kind = typing.get_origin(kind) or kind
        if not isinstance(kind, type) or kind in (object, Any) or issubclass(kind, _CELLS) or _is_open(kind):
            return ""
        return _NESTED.get(kind) or with_article(kind.__name__)

    return _of_members(annotation, why)


_NESTED: dict[type, str] = {
    list: "a list in it",
    tuple: "a tuple in it",
    dict: "a mapping in it",
    bytes: "a value of bytes",
}


def _of_members(annotation: Any, why: Why) -> str:
    """Return what is wrong with every member of a union, or with the one annotation."""
    found = list(map(why, _members(annotation)))
    return found[0] if found and all(found) else ""


def _members(annotation: Any, depth: int = 0) -> Iterator[Any]:
    annotation = unwrapped(annotation)
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if depth > _DEEPEST:
        yield Any
    elif hasattr(annotation, "__value__"):
        yield from _members(annotation.__value__, depth + 1)
    elif origin is typing.Annotated:
        yield from _members(arguments[0], depth + 1)
    elif origin in (typing.Union, types.UnionType):
        for each in arguments:
            yield from _members(each, depth + 1)
    elif origin is typing.Literal:
        yield from map(type, arguments)
    else:
        yield annotation


def _first(why: Why, annotations: list[Any]) -> str:
    return next(filter(None, map(why, annotations)), "")


def _is_list(kind: Any) -> bool:
    """Return whether it is a list or a tuple. A NamedTuple counts as a mapping."""
    kind = typing.get_origin(kind) or kind
    return isinstance(kind, type) and issubclass(kind, list | tuple) and not is_record(kind)


def _items(kind: Any) -> list[Any]:
    return [each for each in typing.get_args(kind) if each is not Ellipsis]


def _fields(kind: Any) -> list[Any] | None:
    """Return the annotations of the values of a mapping or a record; None for anything else."""
    origin = typing.get_origin(kind) or kind
    if not isinstance(origin, type):
        return None
    if hasattr(origin, "__pydantic_fields__"):
        return [field.annotation for field in origin.__pydantic_fields__.values()]
    if dataclasses.is_dataclass(origin):
        hints = type_hints(origin)
        return [hints.get(field.name, Any) for field in dataclasses.fields(origin)]
    if is_record(origin):
        return [field.annotation for field in fields_of(origin).values() if field.annotation is not Signature.empty]
    return list(typing.get_args(kind)[1:]) if issubclass(origin, Mapping) else None


def _is_open(kind: type) -> bool:
    """Return whether a value annotated as `kind` may be something that has a row, because `kind` is too general."""
    if inspect.isabstract(kind) or getattr(kind, "_is_protocol", False) or kind.__module__ in ("numbers", "abc"):
        return True
    numpy = sys.modules.get("numpy")
    frames = (getattr(sys.modules.get(library), "DataFrame", None) for library in _FRAMES)
    known = [each for each in (*frames, getattr(numpy, "generic", None)) if isinstance(each, type)]
    return issubclass(kind, tuple(known))


def _has_rows_below(kind: Any) -> bool:
    """Return whether a subclass of `kind`, of the user's, has a row."""
    if not isinstance(kind, type) or kind.__module__ == "builtins":
        return False
    derived: list[type] = type.__subclasses__(kind)
    return any(not _row(each) or _has_rows_below(each) for each in derived)
