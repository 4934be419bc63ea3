"""What the type variables of a generic class stand for."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import Any

TypeArguments = Mapping[Any, Any]


def type_arguments(annotation: Any) -> TypeArguments:
    """What each type variable stands for in `annotation`: a class, or a generic one with arguments (`Box[date]`), and
    the generic classes that it is made of (`class Dates(Box[date])`)."""
    found: dict[Any, Any] = {}
    kind = typing.get_origin(annotation) or annotation
    for variable, argument in zip(getattr(kind, "__parameters__", ()), typing.get_args(annotation), strict=False):
        found[variable] = argument
    for base in getattr(kind, "__orig_bases__", ()):
        if typing.get_origin(base) not in (None, typing.Generic, typing.Protocol):
            further = type_arguments(put_in(base, found))
            found = {**further, **found}
    return found


def put_in(annotation: Any, arguments: TypeArguments) -> Any:
    """`annotation` with what `arguments` has in the place of its type variables."""
    if isinstance(annotation, typing.TypeVar):
        return arguments.get(annotation, annotation)
    variables = getattr(annotation, "__parameters__", ())
    if isinstance(annotation, type) or not any(variable in arguments for variable in variables):
        return annotation
    return annotation[tuple(arguments.get(variable, variable) for variable in variables)]
