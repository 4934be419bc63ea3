"""The rows of a csv file that results give: a mapping or a list is one, a scalar one of the column `value`, a DataFrame
several."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from mprun.log.values import fields_of, scalar_text

VALUE = "value"  # the column of a scalar
ONE_SHAPE = "the rows of a csv file are alike; a .jsonl file takes any"
ANYTHING = "a .json file takes any"


class SaveError(Exception):
    """The results don't fit the file's format; says which one, why, and what would take it."""


class Row(NamedTuple):
    """The cells of one row. `names` are those of its columns, None where they have none; `kind` is what it was.

    `keyed`: the names are its own.
    """

    names: tuple[Any, ...] | None
    cells: Sequence[Any]
    kind: str
    keyed: bool = False


def csv_rows(results: Iterable[tuple[str, Any]]) -> Iterator[list[str]]:
    """The rows as texts, their head first where the columns have names. Each result comes with what it is called.

    Raises SaveError for what has no row, and for rows that aren't alike.
    """
    first: Row | None = None
    for which, value in results:
        for row in _rows_of(value, which):
            if first is None and row.names is not None:
                yield [_cell(name, which) for name in row.names]
            first = first or row
            yield [_cell(cell, which) for cell in _in_order(row, first, which)]


def _rows_of(value: Any, which: str) -> Iterable[Row]:
    read_frame = _frame_reader(value)
    return (_row(value, which),) if read_frame is None else read_frame(value)


def _row(value: Any, which: str) -> Row:
    fields = fields_of(value)
    if fields is not None:
        return Row(tuple(fields), list(fields.values()), "a mapping", keyed=True)
    if isinstance(value, list | tuple):
        return Row(None, value, "a list")
    kind = type(value).__name__
    if scalar_text(value) is None:
        raise SaveError(f"{which} is of type {kind}, which has no row in a csv file; {ANYTHING}")
    return Row((VALUE,), (value,), f"of type {kind}")


def _in_order(row: Row, first: Row, which: str) -> Sequence[Any]:
    """The cells of `row` in the order of the first row's."""
    if row.names == first.names:
        return row.cells
    if row.names is None or first.names is None or not (row.keyed and first.keyed):
        raise SaveError(f"{which} is {row.kind}, and the first one is {first.kind}: {ONE_SHAPE}")
    if set(row.names) != set(first.names) or len(row.names) != len(first.names):
        known = _listed(first.names)
        raise SaveError(f"{which} has the keys {_listed(row.names)}, and the first one has {known}: {ONE_SHAPE}")
    cells = dict(zip(row.names, row.cells, strict=True))
    return [cells[name] for name in first.names]


def _cell(value: Any, which: str) -> str:
    text = scalar_text(value)
    if text is None:
        kind = type(value).__name__
        raise SaveError(
            f"{which} holds a value of type {kind}, and a cell of a csv file is a single text or number; {ANYTHING}"
        )
    return text


def _listed(names: Sequence[Any]) -> str:
    return ", ".join(f"`{name}`" for name in names[:10]) or "none"


# -- data frames


def _frame_reader(value: Any) -> Callable[[Any], Iterator[Row]] | None:
    """What gives the rows of `value`; None where it is no DataFrame.

    A value's class can't be from a library that isn't loaded: none is imported to know it.
    """
    for library, read in _FRAMES.items():
        frame = getattr(sys.modules.get(library), "DataFrame", None)
        if isinstance(frame, type) and isinstance(value, frame):
            return read
    return None


def _pandas_rows(frame: Any) -> Iterator[Row]:
    """Those of a pandas DataFrame: an index that has a name is data, one without counts rows. What is missing is empty,
    as pandas writes it."""
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    names = tuple(frame.columns)
    missing = frame.isna().itertuples(index=False, name=None)
    for cells, lacks in zip(frame.itertuples(index=False, name=None), missing, strict=True):
        yield _of_table(names, [None if lack else cell for cell, lack in zip(cells, lacks, strict=True)])


def _polars_rows(frame: Any) -> Iterator[Row]:
    names = tuple(frame.columns)
    return (_of_table(names, cells) for cells in frame.iter_rows())


def _of_table(names: tuple[Any, ...], cells: Sequence[Any]) -> Row:
    return Row(names, cells, "a row of a DataFrame", keyed=True)


_FRAMES: dict[str, Callable[[Any], Iterator[Row]]] = {"pandas": _pandas_rows, "polars": _polars_rows}
