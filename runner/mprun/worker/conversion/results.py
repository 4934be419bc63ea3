"""Whether another step can take what one step returns, as far as their annotations say."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Iterable
from typing import Any

from mprun.worker.conversion.build import Converters, unwrapped
from mprun.worker.conversion.containers import is_container
from mprun.worker.conversion.converter import ANYTHING, Rules

_NUMBERS = {float: (int,), complex: (int, float)}


def result_problem(returned: Any, taken: Any) -> str:
    """Why a value annotated `returned` is none for a parameter annotated `taken`; empty where it may be one.

    What neither says plainly is left to the run.
    """
    try:
        if _may_be(returned, taken):
            return ""
    except RecursionError:  # an alias that holds itself has no end
        return ""
    return f"it returns `{shown(returned)}`, where `{shown(taken)}` is taken"


def element_of(annotation: Any) -> Any:
    """The annotation of the items of a value annotated `annotation`; `Any` where that is unknown."""
    annotation = _bare(annotation)
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) is tuple and arguments[-1:] != (Ellipsis,):
        return typing.Union[arguments] if arguments else Any  # noqa: UP007 -- its members are a tuple
    return arguments[0] if arguments and _is_iterable(typing.get_origin(annotation)) else Any


def shown(annotation: Any) -> str:
    return inspect.formatannotation(annotation)


def _may_be(returned: Any, taken: Any) -> bool:
    returned, taken = _bare(returned), _bare(taken)
    return any(_one_may_be(one, other) for one in _members(returned) for other in _members(taken))


def _bare(annotation: Any) -> Any:
    """Without names and metadata."""
    while True:
        annotation = unwrapped(annotation)
        if hasattr(annotation, "__value__"):
            annotation = annotation.__value__
        elif typing.get_origin(annotation) is typing.Annotated:
            annotation = typing.get_args(annotation)[0]
        else:
            return annotation


def _members(annotation: Any) -> list[Any]:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return [member for each in typing.get_args(annotation) for member in _members(_bare(each))]
    if typing.get_origin(annotation) is typing.Literal:
        return [type(option) for option in typing.get_args(annotation)]
    return [annotation]


def _one_may_be(returned: Any, taken: Any) -> bool:
    given, wanted = typing.get_origin(returned) or returned, typing.get_origin(taken) or taken
    if not isinstance(given, type) or not isinstance(wanted, type) or _says_nothing(returned) or _says_nothing(taken):
        return True
    if not _is_related(given, wanted) and not _is_read_as(given, taken):
        return False
    if not (is_container(given) and is_container(wanted)):
        return True
    return _arguments_may_be(returned, taken)


def _says_nothing(annotation: Any) -> bool:
    return Converters(Rules()).of(annotation) is ANYTHING


def _is_iterable(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Iterable)


def _is_related(given: type, wanted: type) -> bool:
    """Either a kind of the other: what is annotated as a base class may well be the class that is wanted."""
    try:
        return issubclass(given, wanted) or issubclass(wanted, given) or given in _NUMBERS.get(wanted, ())
    except TypeError:
        return True


def _is_read_as(given: type, taken: Any) -> bool:
    """Whether a value of `given` is one that is converted: a text to a Path, a list to a set."""
    return given in Converters(Rules()).of(taken).reads or (given in (set, frozenset, tuple) and _takes_list(taken))


def _takes_list(taken: Any) -> bool:
    return is_container(typing.get_origin(taken) or taken) and list in Converters(Rules()).of(taken).reads


def _arguments_may_be(returned: Any, taken: Any) -> bool:
    given, wanted = typing.get_args(returned), typing.get_args(taken)
    if Ellipsis in (*given, *wanted) or len(given) != len(wanted):
        return _may_be(element_of(returned), element_of(taken))
    return all(map(_may_be, given, wanted))
