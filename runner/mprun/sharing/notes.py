"""A child's notes on the shared things that it uses: what it holds, what it waits for, and since when.

The notes lie in memory that the parent may read at any time, even after the child's death. Each word has one writer,
and one aligned 8-byte store writes it, so neither side needs a lock or a message. A shared thing has one slot or more:
one for each lock in it, and one for each cause to wait.
"""

from __future__ import annotations

import mmap
import os
import threading
import time
from array import array
from collections.abc import Callable
from multiprocessing import reduction
from typing import Any, TypeVar

from mprun.system.memory import anonymous_file

# The words of a slot: how often the child holds it (negative: released more often than taken); whether it is about to
# take or release it; since when it waits for it without a timeout (ns, CLOCK_MONOTONIC; 0: it doesn't); how often it
# took it; how often, and how long in all (ns), it waited without a timeout; of a queue: objects put, objects got,
# running loops over it.
HOLDS, WANTS, SINCE, TIMES, WAITS, WAITED, PUTS, GOTS, LOOPS = range(9)
WORDS = 9

T = TypeVar("T")


class Notes:
    """The notes of one child."""

    def __init__(self, slots: int, fd: int | None = None) -> None:
        self.slots = slots
        size = 8 * WORDS * max(1, slots)
        self._fd = anonymous_file(size) if fd is None else fd
        self.words = memoryview(mmap.mmap(self._fd, size)).cast("q")

    def __reduce__(self) -> tuple[Any, ...]:
        return _attach, (self.slots, reduction.DupFd(self._fd))

    def close_file(self) -> None:
        """Close the descriptor; the memory stays mapped. The parent calls this once the child has started."""
        os.close(self._fd)

    # -- read by the parent

    def word(self, slot: int, which: int) -> int:
        return self.words[start_of(slot) + which]

    def all(self, which: int) -> dict[int, int]:
        """That word, by slot, where it isn't 0."""
        return {slot: word for slot in range(self.slots) if (word := self.word(slot, which))}

    def wants(self) -> frozenset[int]:
        return frozenset(self.all(WANTS))

    def wait(self) -> tuple[int, int] | None:
        """(slot, since when) of the current wait: the innermost, where one wait is part of another."""
        since, slot = max(((since, slot) for slot, since in self.all(SINCE).items()), default=(0, 0))
        return (slot, since) if since else None


def _attach(slots: int, handle: Any) -> Notes:
    return Notes(slots, handle.detach())


def start_of(slot: int) -> int:
    """Where the words of `slot` begin."""
    return WORDS * slot


# -- written by the child

words: Any = array("q", bytes(8 * WORDS))
"""The notes of this process. Only those of children are read."""

own_threads: set[threading.Thread] = set()
"""mprun's own threads in this process. Nobody here waits for them."""


def enter(notes: Notes) -> None:
    """Write into `notes` from here on: they are this child's."""
    global words
    words = notes.words


def make_room(slots: int) -> None:
    """Make room for `slots` slots in a process without notes, so that it can use things all the same."""
    global words
    if isinstance(words, array) and len(words) < start_of(slots):
        words = array("q", bytes(8 * start_of(slots)))


def wait_for(slot_start: int, wait: Callable[[], T]) -> T:
    """Return what `wait()` returns, however long that takes. Note the wait if no other thread of this process could
    act."""
    began = time.monotonic_ns()
    noted = _alone() and not words[slot_start + SINCE]
    if noted:
        words[slot_start + SINCE] = began
    try:
        return wait()
    finally:
        if noted:
            words[slot_start + SINCE] = 0
        words[slot_start + WAITS] += 1
        words[slot_start + WAITED] += time.monotonic_ns() - began


def _alone() -> bool:
    if threading.current_thread() is not threading.main_thread():
        return False
    return threading.active_count() == 1 + sum(thread.is_alive() for thread in own_threads)
