"""What a callable says of its parameters and of its result, with annotations that are text resolved.

An annotation that can't be resolved (a name that only a type checker imports) is as if it weren't there.
"""

from __future__ import annotations

import functools
import inspect
import sys
import typing
from collections.abc import Callable, Iterator
from inspect import Parameter, Signature
from typing import Any


def resolved_signature(function: Callable[..., Any]) -> Signature | None:
    """The signature of `function` with its annotations as objects; None where it has none, as some builtins."""
    signature = raw_signature(function)
    if signature is None:
        return None
    namespaces = list(_namespaces(function))
    parameters = [
        parameter.replace(annotation=resolved_annotation(parameter.annotation, namespaces))
        for parameter in signature.parameters.values()
    ]
    returned = resolved_annotation(signature.return_annotation, namespaces)
    return signature.replace(parameters=parameters, return_annotation=returned)


def raw_signature(function: Callable[..., Any]) -> Signature | None:
    """The signature of `function` as it is written."""
    try:
        return inspect.signature(function)
    except (ValueError, TypeError, NameError):  # NameError: Python 3.14 evaluates the annotations
        return None


def resolved_annotation(annotation: Any, namespaces: list[dict[str, Any]]) -> Any:
    """`annotation` as an object, its names looked up in the first of `namespaces` that has them; `Parameter.empty`
    where none has."""
    if annotation is Parameter.empty:
        return annotation

    def holder() -> None:
        """Carries the annotation to `get_type_hints`, which gives up on all of a function's for one bad one."""

    holder.__annotations__ = {"it": annotation}
    for names in namespaces:
        try:
            return typing.get_type_hints(holder, names, include_extras=True)["it"]
        except Exception:  # noqa: BLE001 -- it evaluates the user's text
            continue
    return Parameter.empty


def _namespaces(function: Any) -> Iterator[dict[str, Any]]:
    """Where the names in the annotations of `function` may be found: where it was defined, or what it belongs to."""
    function = _underlying(function)
    if isinstance(function, type):
        for made_by in (function.__init__, function.__new__):  # type: ignore[misc] # read, not called
            yield from _globals(_underlying(made_by))
        for base in function.__mro__:
            yield vars(sys.modules[base.__module__]) if base.__module__ in sys.modules else {}
    yield from _globals(function)
    yield {}


def _globals(function: Any) -> Iterator[dict[str, Any]]:
    if hasattr(function, "__globals__"):
        yield function.__globals__


def _underlying(function: Any) -> Any:
    """The function behind decorators, partials and bound methods, or the class."""
    while True:
        if isinstance(function, functools.partial):
            function = function.func
        elif inspect.ismethod(function):
            function = function.__func__
        elif hasattr(function, "__wrapped__"):
            function = inspect.unwrap(function)
        elif inspect.isfunction(function) or isinstance(function, type) or not inspect.ismethod(_call_of(function)):
            return function
        else:
            function = _call_of(function)


def _call_of(instance: Any) -> Any:
    return getattr(instance, "__call__", None)  # noqa: B004 -- the method is wanted, not whether there is one
