"""What a generated script needs for the items of its steps: modules to import, and functions to define."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mprun.sources.table import (
    CsvSource,
    GlobSource,
    JsonlSource,
    LinesSource,
    MatrixSource,
    SliceSource,
    Source,
    ZipSource,
)

_LINES_OF = '''\
def lines_of(path):
    """The lines of a text file, without their ends."""
    with open(path, encoding="utf-8") as file:
        for line in file:
            yield line.removesuffix("\\n")'''

_JSONL_OF = '''\
def jsonl_of(path):
    """The values of a file with one JSON value a line."""
    with open(path, "rb") as file:
        for line in file:
            if not line.isspace():
                yield json.loads(line)'''

_ROWS_OF = '''\
def rows_of(path, delimiter=","):
    """The rows of a CSV file, each a dict by the names in the first one."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = filter(None, csv.reader(file, delimiter=delimiter, strict=True))
        names = next(rows)
        for fields in rows:
            yield dict(zip(names, fields, strict=True))'''

_COMBINATIONS_OF = '''\
def combinations_of(axes):
    """A dict for each combination of the axes' values; the last axis changes fastest."""
    for values in itertools.product(*axes.values()) if axes else ():
        yield dict(zip(axes, values))'''

_CELLS_OF = '''\
def cells_of(axes, include, exclude):
    """The combinations but those excluded; an entry to include extends those it fits, or is one."""
    fitted = [False] * len(include)
    for combination in combinations_of(axes):
        if any(all(is_any(combination[axis], entry[axis]) for axis in entry) for entry in exclude):
            continue
        cell = dict(combination)
        for number, entry in enumerate(include):
            if all(is_any(combination[axis], [entry[axis]]) for axis in axes if axis in entry):
                fitted[number] = True
                cell |= {name: entry[name] for name in entry if name not in axes}
        yield cell
    yield from (entry for entry, fits in zip(include, fitted) if not fits)


def is_any(value, others):
    """Whether `value` equals one of the others as in YAML: 1 and 1.0 do, 1 and True do not."""
    return any(same(value, other) for other in others)


def same(value, other):
    if isinstance(value, list) and isinstance(other, list):
        return len(value) == len(other) and all(map(same, value, other))
    if isinstance(value, dict) and isinstance(other, dict):
        return value.keys() == other.keys() and all(same(value[key], other[key]) for key in value)
    if isinstance(value, bool) or isinstance(other, bool):
        return value is other
    return value == other or (value != value and other != other)'''

_SIDE_BY_SIDE = '''\
def side_by_side(axes):
    """A dict of the axes' first values, one of their second values, and so on."""
    for values in zip(*axes.values(), strict=True):
        yield dict(zip(axes, values))'''

HELPER_NAMES = frozenset(
    {"lines_of", "jsonl_of", "rows_of", "combinations_of", "cells_of", "is_any", "same", "side_by_side"}
)

_MODULES: dict[type[Source], str] = {
    GlobSource: "glob",
    JsonlSource: "json",
    CsvSource: "csv",
    SliceSource: "itertools",
    MatrixSource: "itertools",
}


def modules_for(sources: Iterable[Source]) -> list[str]:
    """The modules of the standard library that the items of `sources` take."""
    kinds = [type(part) for source in sources for part in with_parts(source)]
    return [_MODULES[kind] for kind in kinds if kind in _MODULES]


def helpers_for(sources: Iterable[Source]) -> list[str]:
    """The definitions of the functions that give the items of `sources`, each once."""
    texts = [text for source in sources for part in with_parts(source) for text in _helpers(part)]
    return list(dict.fromkeys(texts))


def with_parts(source: Source) -> Iterator[Source]:
    """`source` and those that it is made of."""
    yield source
    match source:
        case SliceSource(whole):
            yield from with_parts(whole)
        case MatrixSource(axes) | ZipSource(axes):
            for _, axis in axes:
                yield from with_parts(axis)


def _helpers(source: Source) -> tuple[str, ...]:
    match source:
        case LinesSource():
            return (_LINES_OF,)
        case JsonlSource():
            return (_JSONL_OF,)
        case CsvSource():
            return (_ROWS_OF,)
        case MatrixSource(include=(), exclude=()):
            return (_COMBINATIONS_OF,)
        case MatrixSource():
            return _COMBINATIONS_OF, _CELLS_OF
        case ZipSource():
            return (_SIDE_BY_SIDE,)
        case _:
            return ()
