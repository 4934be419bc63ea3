"""From an annotation to its converter."""

from __future__ import annotations

import inspect
import types
import typing
from dataclasses import InitVar
from enum import Enum
from typing import Any

from mprun.worker.conversion.choices import enum_converter, literal_converter, union_converter
from mprun.worker.conversion.containers import container_converter, is_container
from mprun.worker.conversion.converter import ANYTHING, PLAIN, Converter, Rules, refused, with_article
from mprun.worker.conversion.generics import type_arguments
from mprun.worker.conversion.records import is_record, record_converter
from mprun.worker.conversion.scalars import SCALARS, scalar_converter

_WRAPPERS = ("Required", "NotRequired", "ReadOnly", "Final", "ClassVar")
_SAYING_NOTHING = (object, Any, inspect.Parameter.empty)
_READERS = ("pydantic.functional_validators",)
_CONSTRAINTS = ("annotated_types", "pydantic")


class Converters:
    """The converters of one call's annotations, read by the same rules."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._records: dict[type, Converter] = {}
        self._aliases: list[Any] = []  # being looked into: one that holds itself is not looked into again

    def of(self, annotation: Any) -> Converter:
        """The converter of `annotation`: ANYTHING where it says nothing that can be checked, or can't be understood."""
        try:
            return self._of(annotation)
        except Exception:  # noqa: BLE001 -- metaclasses and Pydantic's hooks are the user's code
            return ANYTHING

    def _of(self, annotation: Any) -> Converter:
        annotation = unwrapped(annotation)
        origin = typing.get_origin(annotation)
        if hasattr(annotation, "__value__"):
            return self._alias(annotation)
        if origin is typing.Annotated:
            return self._annotated(annotation)
        if origin in (typing.Union, types.UnionType):
            return union_converter(list(map(self.of, typing.get_args(annotation))), self._rules)
        if origin is typing.Literal:
            return literal_converter(typing.get_args(annotation), self._rules.text)
        kind = origin or annotation
        if not isinstance(kind, type):
            return ANYTHING
        if is_container(kind):
            return container_converter(kind, _arguments(annotation), self.of)
        return self._class(kind) if origin is None else self._generic(kind, annotation)

    def _generic(self, kind: type, annotation: Any) -> Converter:
        """The converter of a generic class with its arguments, such as `Box[date]`."""
        if not is_record(kind):
            return self._class(kind)
        return record_converter(kind, self.of, self._rules.text, type_arguments(annotation))

    def _alias(self, alias: Any) -> Converter:
        if alias in self._aliases:
            return ANYTHING
        self._aliases.append(alias)
        try:
            return self.of(alias.__value__)
        finally:
            self._aliases.pop()

    def _annotated(self, annotation: Any) -> Converter:
        kind, *metadata = typing.get_args(annotation)
        inner = self.of(kind)
        if any(map(_reads_by_itself, metadata)):
            from mprun.worker.conversion.pydantic_types import validated_converter

            return validated_converter(annotation, inner, self._rules.text)
        if any(map(_is_constraint, metadata)):
            from mprun.worker.conversion.pydantic_types import constrained_converter

            return constrained_converter(annotation, inner, keeps=inner.keeps and all(map(_only_looks, metadata)))
        return inner

    def _class(self, kind: type) -> Converter:
        if kind in _SAYING_NOTHING:
            return ANYTHING
        if kind in SCALARS:
            return scalar_converter(kind, self._rules.text)
        if kind not in self._records:
            self._records[kind] = self._new_class(kind)
        return self._records[kind]

    def _new_class(self, kind: type) -> Converter:
        text = self._rules.text
        if issubclass(kind, Enum) and len(kind.__members__):
            return enum_converter(kind, text)
        if hasattr(kind, "__get_pydantic_core_schema__") or hasattr(kind, "__pydantic_validator__"):
            from mprun.worker.conversion.pydantic_types import model_converter

            return model_converter(kind, self.of, text)
        if is_record(kind):
            return record_converter(kind, self.of, text, type_arguments(kind))
        return _instances_of(kind)


def unwrapped(annotation: Any) -> Any:
    """`annotation` without what says how it is used rather than what it takes."""
    while True:
        if annotation is None:
            return type(None)
        if isinstance(annotation, InitVar):
            annotation = annotation.type
        elif hasattr(annotation, "__supertype__"):
            annotation = annotation.__supertype__
        elif getattr(typing.get_origin(annotation), "_name", "") in _WRAPPERS:
            annotation = typing.get_args(annotation)[0]
        else:
            return annotation


def _arguments(annotation: Any) -> tuple[Any, ...]:
    """`typing.get_args`, which gives nothing for `tuple[()]` as for `tuple`: here it is the empty tuple in one."""
    return typing.get_args(annotation) or (((),) if isinstance(annotation, types.GenericAlias) else ())


def _reads_by_itself(mark: Any) -> bool:
    ours = type(mark).__module__.split(".")[0] in _CONSTRAINTS
    return type(mark).__module__ in _READERS or (hasattr(mark, "__get_pydantic_core_schema__") and not ours)


def _is_constraint(mark: Any) -> bool:
    return type(mark).__module__.split(".")[0] in _CONSTRAINTS


def _only_looks(mark: Any) -> bool:
    """Whether a constraint makes no other value of one, as `StringConstraints(to_lower=True)` does."""
    inside = getattr(mark, "metadata", None)  # of Pydantic's Field
    return type(mark).__module__ == "annotated_types" if inside is None else all(map(_only_looks, inside))


def _instances_of(kind: type) -> Converter:
    """The converter of a class that nothing else is known of: it takes what is one already."""
    if getattr(kind, "_is_protocol", False) and not getattr(kind, "_is_runtime_protocol", False):
        return ANYTHING
    plain = frozenset(each for each in PLAIN if _is_a(each, kind))
    takes = with_article(kind.__qualname__)

    def convert(value: Any) -> Any:
        if not _is_instance(value, kind):
            raise refused(takes, value, "" if type(value) not in PLAIN else "no value in a workflow is one")
        return value

    return Converter(takes, convert, plain, plain, keeps=True)


def _is_a(given: type, kind: type) -> bool:
    try:
        return issubclass(given, kind)
    except TypeError:
        return True


def _is_instance(value: Any, kind: type) -> bool:
    """Where a class refuses to say (a metaclass of the user's), the value passes."""
    try:
        return isinstance(value, kind)
    except Exception:  # noqa: BLE001 -- `__instancecheck__` may be the user's code
        return True
