"""What Pydantic makes of a value: its models, and `Annotated` with its constraints. Imported where one is met.

A model reads as Pydantic reads strict JSON: a text is a date or a Path, but no number.
"""

from __future__ import annotations

import json
import typing
from collections.abc import Callable
from enum import Enum
from typing import Annotated, Any

from pydantic import PydanticUserError, TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from mprun.language.equality import same
from mprun.worker.calls.exceptions import summary
from mprun.worker.conversion.containers import Of
from mprun.worker.conversion.converter import (
    PLAIN,
    Convert,
    Converter,
    Fault,
    Mismatch,
    refused,
    shown,
    with_article,
)
from mprun.worker.conversion.marks import plain
from mprun.worker.conversion.scalars import SCALARS


def model_converter(kind: type, of: Of, text: bool) -> Converter:
    """The converter of a Pydantic model or dataclass, or of a class with a Pydantic schema of its own."""
    takes = with_article(kind.__name__)
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    fields: dict[str, Any] = getattr(kind, "__pydantic_fields__", {})
    validate = _lax(adapter) if text else _strict(adapter)

    def convert(value: Any) -> Any:
        if isinstance(value, kind):
            return value
        value = _unmarked(value, takes)
        if fields and type(value) is not dict:
            raise refused(f"{takes}, which is a mapping", value)
        if text and fields:
            value = _without_empty(value, fields, of)
        return _validated(validate, value, takes)

    return Converter(takes, convert, frozenset({dict}) if fields else PLAIN)


def constrained_converter(annotation: Any, inner: Converter, *, keeps: bool) -> Converter:
    """The converter of `Annotated[…]` with constraints: they look at what `inner` has made of the value.

    `keeps`: neither `inner` nor a constraint makes another value.
    """
    adapter = _adapter(annotation)
    validate = _lax(adapter)

    def convert(value: Any) -> Any:
        read = inner.convert(value)
        checked = _validated(validate, read, inner.takes)
        return read if same(checked, read) else checked

    return Converter(inner.takes, convert, inner.reads, keeps=keeps)


def _adapter(annotation: Any) -> TypeAdapter[Any]:
    """Of a class that Pydantic doesn't know, the constraints alone."""
    try:
        return TypeAdapter(annotation)
    except PydanticUserError:
        return TypeAdapter(Annotated[Any, *typing.get_args(annotation)[1:]])


def validated_converter(annotation: Any, inner: Converter, text: bool) -> Converter:
    """The converter of `Annotated[…]` with functions of its own that read the value."""
    try:
        adapter = TypeAdapter(annotation)
    except PydanticUserError:
        return inner
    validate = _lax(adapter) if text else _strict(adapter)
    return Converter(inner.takes, lambda value: _validated(validate, value, inner.takes))


def _unmarked(value: Any, takes: str) -> Any:
    try:
        return plain(value)
    except (TypeError, ValueError):
        raise refused(takes, value) from None


def _lax(adapter: TypeAdapter[Any]) -> Convert:
    return adapter.validate_python


def _strict(adapter: TypeAdapter[Any]) -> Convert:
    """As strict JSON, as in Python's strict mode a text would be no date; where JSON has no form, it is an object."""

    def validate(value: Any) -> Any:
        try:
            text = json.dumps(value, default=_json_form)
        except (TypeError, ValueError):
            return adapter.validate_python(value)
        return adapter.validate_json(text, strict=True)

    return validate


def _json_form(value: Any) -> Any:
    """How JSON has a value of which Pydantic reads that again: a date among texts doesn't change how these are read."""
    if isinstance(value, (*(kind for kind in SCALARS if kind not in PLAIN), set, frozenset, Enum)):
        return to_jsonable_python(value)
    raise TypeError(type(value))


def _without_empty(row: dict[str, Any], fields: dict[str, Any], of: Of) -> dict[str, Any]:
    """`row` with None for an empty text where that is what the field takes it for."""
    return {
        name: None if item == "" and name in fields and _reads_as_none(of(fields[name].annotation)) else item
        for name, item in row.items()
    }


def _reads_as_none(converter: Converter) -> bool:
    try:
        return converter.convert("") is None
    except Mismatch:
        return False


def _validated(validate: Callable[[Any], Any], value: Any, takes: str) -> Any:
    try:
        return validate(value)
    except ValidationError as error:
        raise Mismatch(*(_fault(found, takes) for found in error.errors(include_url=False))) from None
    except BaseException as error:  # noqa: BLE001 -- its validators are the user's code
        raise Mismatch(Fault(f"as {takes}, which raises {summary(error)}")) from None


def _fault(found: Any, takes: str) -> Fault:
    path, kind, message = found["loc"], found["type"], found["msg"]
    if kind == "missing":
        owner = takes if len(path) == 1 else "a mapping"
        return Fault(f"as {owner}, which needs `{path[-1]}`", path=path[:-1])
    if kind == "extra_forbidden":
        return Fault(f"as {takes}, which has no `{path[-1]}`", path=path, at_key=True)
    return Fault(_message_of(message, found["input"]), path=path)


def _message_of(message: str, value: Any) -> str:
    """Pydantic's sentence as the end of ours."""
    _, is_about_input, wanted = message.replace("'", "`").partition("Input should be ")
    if not is_about_input:
        return f"otherwise: {message[:1].lower()}{message[1:]}"
    if wanted.startswith(("a ", "an ")):
        return f"as {wanted}, not {shown(value)}"
    return f"only if it is {wanted}, and it is {shown(value)}"
