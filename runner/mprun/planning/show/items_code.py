"""The items of a source as a Python expression; `eject/items.py` defines such functions in it as are plain."""

from __future__ import annotations

import glob
import keyword
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mprun.language.targets import Target
from mprun.planning.show.source_text import Code, Group, call, flat, led, literal, quoted
from mprun.sources.grid import alternatives
from mprun.sources.table import (
    CallSource,
    CsvSource,
    GlobSource,
    JsonlSource,
    LinesSource,
    ListSource,
    MatrixSource,
    PickedSource,
    RangeSource,
    ResultsSource,
    SliceSource,
    Source,
    ZipSource,
)


@dataclass(frozen=True, slots=True)
class Writing:
    """How things are written where the expression is to stand.

    `folder` is where it runs; `target` and `results` name a target and what a step has returned. Where it is `starred`,
    items are the arguments of calls. Of a list, `most` items are written, and `…` for more (0: all of them). `coded`
    gives a value with code in the place of what is still to come.
    """

    folder: str
    target: Callable[[Target], str]
    results: Callable[[str], str]
    starred: bool = False
    most: int = 0
    coded: Callable[[Any], Any] = lambda value: value


def items_code(source: Source, writing: Writing) -> Code:
    """The expression that gives the items of `source`."""
    match source:
        case ListSource(values):
            return _list(values, writing)
        case PickedSource():
            return _list(source.values(), writing)
        case RangeSource():
            return flat(call("range", map(repr, _range_arguments(source))))
        case GlobSource(pattern):
            inside = quoted(below(pattern, writing.folder))
            return call("sorted", [call("glob.glob", [inside, "recursive=True"] if "**" in inside else [inside])])
        case LinesSource(path):
            return call("lines_of", [quoted(below(path, writing.folder))])
        case JsonlSource(path):
            return call("jsonl_of", [quoted(below(path, writing.folder))])
        case CsvSource(path, delimiter=delimiter):
            separated = [f"delimiter={quoted(delimiter)}"] * (delimiter != ",")
            return call("rows_of", [quoted(below(path, writing.folder)), *separated])
        case SliceSource(whole, skip, first):
            return call("itertools.islice", [items_code(whole, writing), *_slice_arguments(skip, first)])
        case MatrixSource(axes, include, exclude):
            return _matrix(_axes(axes, writing), include, exclude)
        case ZipSource(axes):
            return call("side_by_side", [_axes(axes, writing)])
        case CallSource(target, args, kwargs):
            return call(writing.target(target), [*map(literal, writing.coded(args)), *keywords(writing.coded(kwargs))])
        case ResultsSource(step):
            return writing.results(step)


def _list(values: Sequence[Any], writing: Writing) -> Code:
    shown = [_as_written(value, writing.starred) for value in values[: writing.most or len(values)]]
    return Group("[", (*map(literal, shown), *["…"] * (len(shown) < len(values))), "]")


def _as_written(value: Any, starred: bool) -> Any:
    """The arguments of one call of `starmap` as a tuple, as people write them."""
    return tuple(value) if starred and isinstance(value, list) else value


def _matrix(axes: Code, include: Sequence[dict[str, Any]], exclude: Sequence[dict[str, Any]]) -> Code:
    if not include and not exclude:
        return call("combinations_of", [axes])
    excluded = [{axis: alternatives(written) for axis, written in entry.items()} for entry in exclude]
    return call("cells_of", [axes, led("include=", literal(list(include))), led("exclude=", literal(excluded))])


def _axes(axes: Sequence[tuple[str, Source]], writing: Writing) -> Code:
    return Group("{", tuple(led(f"{quoted(name)}: ", items_code(axis, writing)) for name, axis in axes), "}")


def keywords(kwargs: dict[str, Any]) -> list[Code]:
    """`kwargs` as they are written in a call."""
    if all(name.isidentifier() and not keyword.iskeyword(name) for name in kwargs):
        return [led(f"{name}=", literal(value)) for name, value in kwargs.items()]
    return [led("**", literal(kwargs))]


def _slice_arguments(skip: int, first: int | None) -> list[Code]:
    if first is None:
        return [repr(skip), "None"]
    return [repr(skip), repr(skip + first)] if skip else [repr(first)]


def _range_arguments(source: RangeSource) -> tuple[int, ...]:
    if source.step != 1:
        return source.start, source.stop, source.step
    return (source.start, source.stop) if source.start else (source.stop,)


def below(path: str, folder: str) -> str:
    """`path` as it is written inside `folder`, whose special characters a pattern may hold escaped."""
    for written in (f"{glob.escape(folder)}/", f"{folder}/"):
        if path.startswith(written):
            return path.removeprefix(written)
    return path
