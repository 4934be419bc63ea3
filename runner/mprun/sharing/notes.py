"""What a child notes of the shared things that it uses: what it holds, what it waits for and since when.

The notes lie in memory that the parent reads at any time, also after the child's death. Each word has one writer and
is stored by one aligned 8-byte write, so neither side needs a lock or a message. A shared thing has one slot or more:
one for each lock in it, and for each cause to wait.
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

# The words of a slot: how often it is held (negative: released more often than taken); whether it is about to be
# taken or given back; since when it is waited for without a bound (ns, CLOCK_MONOTONIC; 0: it isn't); how often it was
# taken; how often, and for how long in all (ns), it was waited for without a bound; of a queue: what was put, what was
# got, the loops over it at work.
HOLDS, WANTS, SINCE, TIMES, WAITS, WAITED, PUTS, GOTS, LOOPS = range(9)
WORDS = 9

T = TypeVar("T")


class Notes:
    """The memory of one child."""

    def __init__(self, slots: int, fd: int | None = None) -> None:
        self.slots = slots
        size = 8 * WORDS * max(1, slots)
        self._fd = anonymous_file(size) if fd is None else fd
        self.words = memoryview(mmap.mmap(self._fd, size)).cast("q")

    def __reduce__(self) -> tuple[Any, ...]:
        return _attach, (self.slots, reduction.DupFd(self._fd))

    def close_file(self) -> None:
        """Give the descriptor back; the memory stays mapped. For the parent, once the child has started."""
        os.close(self._fd)

    # -- read by the parent

    def word(self, slot: int, which: int) -> int:
        return self.words[start_of(slot) + which]

    def all(self, which: int) -> dict[int, int]:
        """That word of each slot where it isn't 0."""
        return {slot: word for slot in range(self.slots) if (word := self.word(slot, which))}

    def wants(self) -> frozenset[int]:
        return frozenset(self.all(WANTS))

    def wait(self) -> tuple[int, int] | None:
        """(slot, since when) of what is waited for: where one wait is part of another, the innermost."""
        since, slot = max(((since, slot) for slot, since in self.all(SINCE).items()), default=(0, 0))
        return (slot, since) if since else None


def _attach(slots: int, handle: Any) -> Notes:
    return Notes(slots, handle.detach())


def start_of(slot: int) -> int:
    """Where the words of `slot` begin."""
    return WORDS * slot


# -- written by the child

words: Any = array("q", bytes(8 * WORDS))
"""Those of this process. Elsewhere than in a child nobody reads them."""

own_threads: set[threading.Thread] = set()
"""Threads of mprun's own in this process, which do nothing for which anybody waits here."""


def enter(notes: Notes) -> None:
    """Write into `notes` from here on: this process is the child that they are of."""
    global words
    words = notes.words


def make_room(slots: int) -> None:
    """In a process without notes: have words for `slots` slots, so that things can be used all the same."""
    global words
    if isinstance(words, array) and len(words) < start_of(slots):
        words = array("q", bytes(8 * start_of(slots)))


def wait_for(slot_start: int, wait: Callable[[], T]) -> T:
    """What `wait()` returns, which may take for ever; noted where nothing else can go on in this process."""
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
