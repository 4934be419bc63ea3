"""Memory that a worker shares with its parent for the values that its tasks return, if they are stored.

It belongs with the board. The values of a run of tasks are written here before their lines are written there. So each
task whose line can be read has its value, even after the worker's death.
"""

from __future__ import annotations

import mmap
import os
from array import array
from multiprocessing import reduction
from typing import Any

from mprun.results.files import LARGE
from mprun.system.memory import anonymous_file
from mprun.worker.wire.result_frames import Values

MOST = 4096  # values in one run
ROOM = 4 * LARGE  # bytes of their pickles

_HEAD = 16  # bytes of two words: the attempt, and the number of items in a single call's value
_LENGTHS = 8 * MOST
_SIZE = _HEAD + _LENGTHS + ROOM


class ResultMemory:
    """The values of one run of tasks in order. The lines on the board say how many of them are valid."""

    def __init__(self, fd: int | None = None) -> None:
        self._fd = anonymous_file(_SIZE) if fd is None else fd
        self._map = memoryview(mmap.mmap(self._fd, _SIZE))
        self._words = self._map[:_HEAD].cast("q")
        self._lengths = self._map[_HEAD : _HEAD + _LENGTHS].cast("q")
        self._data = self._map[_HEAD + _LENGTHS :]
        self._count = self._used = 0

    def __reduce__(self) -> tuple[Any, ...]:
        return _attach, (reduction.DupFd(self._fd),)

    def close_file(self) -> None:
        """Close the descriptor; the memory stays mapped. The parent calls this once the child has started."""
        os.close(self._fd)

    # -- written by the child

    def clear(self, attempt: int) -> None:
        """Begin a run of tasks that are in attempt `attempt`."""
        self._count = self._used = 0
        self._words[0] = attempt

    def has_room(self, size: int) -> bool:
        return self._count < MOST and self._used + size <= ROOM

    def put(self, length: int, data: bytes, items: int) -> None:
        """Store the next task's value: `length`, `data` and `items` are as in `result_frames.Values`."""
        self._data[self._used : self._used + len(data)] = data
        self._lengths[self._count] = length
        self._words[1] = items
        self._used += len(data)
        self._count += 1

    # -- read by both

    def values(self, first: int, count: int) -> Values:
        """Return the values of the first `count` tasks of the run, which begins with task `first`."""
        lengths = array("q", self._lengths[:count])
        used = sum(length for length in lengths if length > 0)
        return Values(first, self._words[0], self._words[1], lengths, bytes(self._data[:used]))


def _attach(handle: Any) -> ResultMemory:
    return ResultMemory(handle.detach())
