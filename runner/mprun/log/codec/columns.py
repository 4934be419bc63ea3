"""Reads the lines of a log in bulk. Nearly all lines of a long log are results of tasks that returned.

These results come as columns, all other lines as text. A column holds exactly what parsing each line would give.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from io import BytesIO
from itertools import accumulate, groupby
from operator import itemgetter

from mprun.log.codec import returned

WORTH_IT = 128 * 1024  # bytes; a smaller block is parsed line by line in less time than the expression needs to compile

_ALWAYS = ("seq", "step", "task")
_SEQ, _STEP, _LINE = itemgetter(0), itemgetter(1), itemgetter(-1)

_Row = tuple[bytes, ...]


class Results:
    """Results of tasks of `step` that returned, on consecutive lines. `seq` is the number of the first line.

    A column is made when a reader asks for it. It has one entry per line.
    """

    def __init__(self, block: _Block, rows: Sequence[_Row], first: int) -> None:
        self.step = rows[0][1][1:-1].decode()  # without its quotes; a name has no escapes
        self.seq = int(rows[0][0])
        self._block = block
        self._rows = rows
        self._first = first  # the index of the first line in the block

    def __len__(self) -> int:
        return len(self._rows)

    @cached_property
    def tasks(self) -> list[int]:
        return self.ints("task")

    @property
    def offsets(self) -> list[int]:
        """The offset of each line in the log, in bytes."""
        return self._block.offsets[self._first : self._first + len(self._rows)]

    def texts(self, key: str) -> list[bytes]:
        """Return the JSON texts of `key`, one of the requested columns; empty for a line without it."""
        return list(map(itemgetter(self._block.columns.index(key)), self._rows))

    def ints(self, key: str) -> list[int]:
        """Return the whole numbers of `key`; 0 for a line without it."""
        return [int(text or 0) for text in self.texts(key)]

    def floats(self, key: str) -> list[float]:
        """Return the numbers of `key`; 0.0 for a line without it."""
        return [float(text or 0) for text in self.texts(key)]

    def lines(self) -> list[Line]:
        """Return the lines themselves."""
        return self._block.lines(self._first, self._first + len(self._rows))


class Line:
    """Any line as it stands in the log, with its newline."""

    __slots__ = ("_block", "_number", "text")

    def __init__(self, text: bytes, block: _Block, number: int) -> None:
        self.text = text
        self._block = block
        self._number = number

    @property
    def offset(self) -> int:
        """The offset of the line in the log, in bytes."""
        return self._block.offsets[self._number]


def read(block: bytes, columns: Sequence[str] = (), offset: int = 0) -> Iterator[Results | Line]:
    """Yield the contents of `block` in order. `block` holds whole lines and begins at byte `offset` of the log.

    `columns` are the keys of `returned.KEYS` to read from results, besides `seq`, `step` and `task`.
    """
    names = tuple(name for name in returned.KEYS if name in columns or name in _ALWAYS)
    return _Block(block, names, offset).parts()


class _Block:
    def __init__(self, data: bytes, columns: tuple[str, ...], offset: int) -> None:
        self.columns = columns
        self._data = data
        self._offset = offset

    @cached_property
    def _texts(self) -> list[bytes]:
        return list(BytesIO(self._data))  # unlike splitlines, it doesn't split at `\r`

    @cached_property
    def offsets(self) -> list[int]:
        return list(accumulate(map(len, self._texts), initial=self._offset))

    def lines(self, first: int, end: int) -> list[Line]:
        return [Line(text, self, number) for number, text in enumerate(self._texts[first:end], first)]

    def parts(self) -> Iterator[Results | Line]:
        if len(self._data) < WORTH_IT or not self._data.endswith(b"\n"):
            yield from self.lines(0, len(self._texts))
            return
        first = 0
        for step, some in groupby(returned.many(self.columns).findall(self._data), _STEP):
            rows = list(some)
            # `findall` gives an empty step for a line that is not a plain result; its text is in the last group.
            if step and _in_order(list(map(int, map(_SEQ, rows)))):
                yield Results(self, rows, first)
            elif step:  # Somebody has changed the log: `seq` has a gap. The readers of single lines report it.
                yield from self.lines(first, first + len(rows))
            else:
                yield from (Line(_LINE(row) + b"\n", self, number) for number, row in enumerate(rows, first))
            first += len(rows)


def _in_order(numbers: list[int]) -> bool:
    return numbers == list(range(numbers[0], numbers[0] + len(numbers)))
