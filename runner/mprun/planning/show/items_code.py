"""The items of a source as Python text. `eject/items.py` defines the helpers that the text calls."""

from __future__ import annotations

import glob
import keyword
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mprun.language.targets import Target
from mprun.planning.show.source_text import Code, Group, call, flat, led, literal, quoted
from mprun.sources.expression import CallOf, ListOf, PathOf, ResultsOf
from mprun.sources.table import Source


@dataclass(frozen=True, slots=True)
class Writing:
    """How to write code for the place where it will stand.

    `folder` is where the code runs. `target` and `results` name a target and the results of a step. With `starred`,
    items are the arguments of calls. `most` items of a list are written, and `…` for more (0: all items). `coded`
    returns a value with code instead of values still to come.
    """

    folder: str
    target: Callable[[Target], str]
    results: Callable[[str], str]
    starred: bool = False
    most: int = 0
    coded: Callable[[Any], Any] = lambda value: value


def items_code(source: Source, writing: Writing) -> Code:
    """Return the expression for the items of `source`."""
    return _code(source.expression(), writing)


def _code(part: Any, writing: Writing) -> Code:
    match part:
        case Source():
            return items_code(part, writing)
        case CallOf(str() as function, args, kwargs):
            given = [led(f"{name}=", _code(value, writing)) for name, value in kwargs.items()]
            return call(function, [*(_code(value, writing) for value in args), *given])
        case CallOf(Target() as target, args, kwargs):
            given = [*map(literal, writing.coded(args)), *keywords(writing.coded(kwargs))]
            return call(writing.target(target), given)
        case PathOf(path):
            return quoted(below(path, writing.folder))
        case ListOf(values):
            return _list(values, writing)
        case ResultsOf(step):
            return writing.results(step)
        case dict():
            return Group("{", tuple(led(f"{flat(literal(k))}: ", _code(v, writing)) for k, v in part.items()), "}")
    return literal(part)


def _list(values: Sequence[Any], writing: Writing) -> Code:
    shown = [_as_written(value, writing.starred) for value in values[: writing.most or len(values)]]
    return Group("[", (*map(literal, shown), *["…"] * (len(shown) < len(values))), "]")


def _as_written(value: Any, starred: bool) -> Any:
    """Return the arguments of one call of `starmap` as a tuple, as people write them."""
    return tuple(value) if starred and isinstance(value, list) else value


def keywords(kwargs: dict[str, Any]) -> list[Code]:
    """Return `kwargs` as a call has them."""
    if all(name.isidentifier() and not keyword.iskeyword(name) for name in kwargs):
        return [led(f"{name}=", literal(value)) for name, value in kwargs.items()]
    return [led("**", literal(kwargs))]


def below(path: str, folder: str) -> str:
    """Return `path` as it is written in `folder`. A pattern may hold the folder's special characters escaped."""
    for written in (f"{glob.escape(folder)}/", f"{folder}/"):
        if path.startswith(written):
            return path.removeprefix(written)
    return path
