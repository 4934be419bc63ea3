"""Mappings with named fields: dataclasses, NamedTuples, TypedDicts."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import sys
import typing
from collections.abc import Mapping
from typing import Any, NamedTuple

from mprun.worker.calls.exceptions import summary
from mprun.worker.conversion.annotations import resolved_annotation, resolved_signature
from mprun.worker.conversion.containers import Of
from mprun.worker.conversion.converter import (
    Converter,
    Fault,
    Mismatch,
    did_you_mean,
    refused,
    with_article,
)
from mprun.worker.conversion.generics import TypeArguments, put_in
from mprun.worker.conversion.marks import NOTHING, content


class Field(NamedTuple):
    annotation: Any
    required: bool


def is_typed_dict(kind: Any) -> bool:
    """Those of `typing_extensions` too, which aren't `typing`'s."""
    return isinstance(kind, type) and issubclass(kind, dict) and hasattr(kind, "__total__")


def is_record(kind: Any) -> bool:
    return dataclasses.is_dataclass(kind) or is_typed_dict(kind) or _is_named_tuple(kind)


def _is_named_tuple(kind: Any) -> bool:
    return issubclass(kind, tuple) and hasattr(kind, "_fields")


def record_converter(kind: type, of: Of, text: bool, arguments: TypeArguments) -> Converter:
    """The converter of a mapping to `kind`, where `of` gives that of a field.

    `arguments` is what the type variables of its annotations stand for.

    The fields are looked at when the first mapping comes, as a class may hold itself. Rows from outside (`text`) may
    have more columns than there are fields.
    """
    takes = with_article(kind.__name__)
    typed_dict = is_typed_dict(kind)

    @functools.cache
    def fields() -> dict[str, tuple[Field, Converter]]:
        return {name: (field, of(put_in(field.annotation, arguments))) for name, field in fields_of(kind).items()}

    def convert(value: Any) -> Any:
        if not typed_dict and isinstance(value, kind):
            return value
        if (inside := content(value, "$fields")) is not NOTHING:
            value = inside
        if _is_named_tuple(kind) and isinstance(value, list | tuple) and len(value) <= len(fields()):
            value = dict(zip(fields(), value, strict=False))
        if type(value) is not dict:
            raise refused(f"{takes}, which is a mapping", value)
        faults = [] if text else _unknown(value, fields(), takes)
        converted = _converted_fields(value, fields(), takes, faults)
        if typed_dict:
            return _merged(value, converted)
        return _made(kind, converted, takes)

    reads = frozenset({dict, list} if _is_named_tuple(kind) else {dict})
    return Converter(takes, convert, reads)


def fields_of(kind: type) -> dict[str, Field]:
    """The fields that a mapping for `kind` may have, and their annotations."""
    if is_typed_dict(kind):
        required: Any = kind.__required_keys__  # type: ignore[attr-defined]
        return {name: Field(hint, _is_required(hint, name in required)) for name, hint in type_hints(kind).items()}
    signature = resolved_signature(kind)
    hints = type_hints(kind)
    return {
        name: Field(hints.get(name, parameter.annotation), parameter.default is inspect.Parameter.empty)
        for name, parameter in (signature.parameters if signature else {}).items()
        if parameter.kind in (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    }


def _is_required(hint: Any, otherwise: bool) -> bool:
    """By what the field itself says: the class doesn't know it where its annotations are text."""
    said = getattr(typing.get_origin(hint), "_name", "")
    return otherwise if said not in ("Required", "NotRequired") else said == "Required"


def type_hints(kind: type) -> dict[str, Any]:
    """The annotations of the class's own body and its bases', each read where it was written.

    One that can't be resolved says nothing, and the others hold.
    """
    try:
        return typing.get_type_hints(kind, include_extras=True)
    except Exception:  # noqa: BLE001 -- it evaluates the user's text
        return {name: hint for base in reversed(kind.__mro__) for name, hint in _own_hints(base).items()}


def _own_hints(kind: type) -> dict[str, Any]:
    module = sys.modules.get(kind.__module__)
    namespaces = [{**vars(module), **vars(kind)}] if module else []
    written = vars(kind).get("__annotations__", {})
    return {name: resolved_annotation(annotation, namespaces) for name, annotation in written.items()}


def _unknown(value: Mapping[Any, Any], fields: Mapping[str, Any], takes: str) -> list[Fault]:
    return [
        Fault(f"as {takes}, which has no `{name}`", did_you_mean(str(name), fields), (name,), at_key=True)
        for name in value
        if name not in fields
    ]


def _converted_fields(
    value: Mapping[str, Any], fields: Mapping[str, tuple[Field, Converter]], takes: str, faults: list[Fault]
) -> dict[str, Any]:
    """The fields that `value` has, converted. Raises Mismatch, with `faults` among the rest."""
    converted: dict[str, Any] = {}
    missing: list[str] = []
    for name, (field, converter) in fields.items():
        if name not in value:
            missing += [name] if field.required else []
            continue
        try:
            converted[name] = converter.convert(value[name])
        except Mismatch as mismatch:
            faults += mismatch.below(name)
    if missing and not any(fault.at_key for fault in faults):  # report a misspelt name once
        faults.insert(0, Fault(f"as {takes}, which needs {' and '.join(f'`{name}`' for name in missing)}"))
    if faults:
        raise Mismatch(*faults)
    return converted


def _merged(value: dict[str, Any], converted: dict[str, Any]) -> dict[str, Any]:
    unchanged = all(value[name] is item for name, item in converted.items())
    return value if unchanged else {**value, **converted}


def _made(kind: type, fields: dict[str, Any], takes: str) -> Any:
    try:
        return kind(**fields)
    except BaseException as error:  # noqa: BLE001 -- its __init__ and __post_init__ are the user's code
        raise Mismatch(Fault(f"as {takes}, which raises {summary(error)}")) from None
