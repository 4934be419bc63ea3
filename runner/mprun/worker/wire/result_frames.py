"""The values of tasks in a row on their way from a child to its parent: the body of a VALUES frame."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from mprun.worker.wire.frames import FrameError

_HEAD = struct.Struct("<qqqq")  # first task, attempt, items, number of values


@dataclass(frozen=True, slots=True)
class Values:
    """The values of tasks `first`, `first` + 1, … in the attempt that returned them.

    `lengths` has one number per task: the bytes of its pickle in `data`; or minus the bytes of the file that holds it.
    `items` is the number of items in the value of a single call, -1 if that value is not a sequence.
    """

    first: int
    attempt: int
    items: int
    lengths: array[int]
    data: bytes

    def each(self) -> Iterator[Values]:
        """Yield the value of each task by itself."""
        start = 0
        for task, length in enumerate(self.lengths, self.first):
            end = start + max(length, 0)
            yield Values(task, self.attempt, self.items, array("q", [length]), self.data[start:end])
            start = end


def values_parts(values: Values) -> tuple[bytes, bytes, bytes]:
    """Return the parts of the body of a VALUES frame."""
    head = _HEAD.pack(values.first, values.attempt, values.items, len(values.lengths))
    return head, values.lengths.tobytes(), values.data


def read_values(body: bytes) -> Values:
    """Return the content of a VALUES frame. Raises FrameError if its head and lengths don't fit its data."""
    if len(body) < _HEAD.size:
        raise FrameError("values that are none")
    first, attempt, items, count = _HEAD.unpack_from(body)
    start = _HEAD.size + 8 * count
    if first < 0 or attempt < 1 or items < -1 or count < 1 or len(body) < start:
        raise FrameError("values that are none")
    lengths = array("q", body[_HEAD.size : start])
    if 0 in lengths or sum(length for length in lengths if length > 0) != len(body) - start:
        raise FrameError("values of other lengths than they say")
    return Values(first, attempt, items, lengths, body[start:])
