"""Memory that a child and its parent share: the child's task, its finished tasks, and whether it must stop.

The child notes each task before it starts it, and stores the lines of finished tasks here until it has sent them. The
parent may read both at any time, even after the child's death. Each word has one writer, and one aligned 8-byte store
writes it, so neither side needs a lock or a message.
"""

from __future__ import annotations

import mmap
import os
from multiprocessing import reduction
from typing import Any

from mprun.system.memory import anonymous_file

TASK, BEGAN, STOP, USED, ROUND, FIRST, READY, FINALIZING = range(8)  # positions of the words
_WORDS = 64  # bytes at the start of the memory

ROOM = 128 * 1024  # bytes of finished lines that a pool's worker stores before it must send them


class Board:
    """Eight words, then finished lines.

    - TASK: the running task plus one (0: idle)
    - BEGAN: its start (ns, CLOCK_MONOTONIC)
    - STOP: the parent asks the child to stop
    - USED: the bytes of the finished lines that are not sent (or their number, if only counts are logged)
    - ROUND: how often the child has sent its lines
    - FIRST: the index of the first task among the lines
    - READY: the child can take tasks
    - FINALIZING: when the child called its finalizer (0: not yet)
    """

    def __init__(self, fd: int | None = None) -> None:
        self._fd = anonymous_file(_WORDS + ROOM) if fd is None else fd
        self._map = mmap.mmap(self._fd, _WORDS + ROOM)
        self.words = memoryview(self._map)[:_WORDS].cast("q")
        self.lines = memoryview(self._map)[_WORDS:]

    def __reduce__(self) -> tuple[Any, ...]:
        return _attach, (reduction.DupFd(self._fd),)

    def close_file(self) -> None:
        """Close the descriptor; the memory stays mapped. The parent calls this once the child has started."""
        os.close(self._fd)

    # -- written by the child

    def begin(self, task: int, now_ns: int) -> None:
        # BEGAN first: a parent that sees the new task must not pair it with the start of the old one.
        self.words[BEGAN] = now_ns
        self.words[TASK] = task + 1

    def end(self) -> None:
        self.words[TASK] = 0

    def start_run(self, first: int) -> None:
        """Forget the stored lines, which are sent. The next line belongs to task `first`."""
        # USED first: at no moment may old lines stand under the new FIRST.
        self.words[USED] = 0
        self.words[ROUND] += 1
        self.words[FIRST] = first

    def get_ready(self) -> None:
        """Note that the child can take tasks: it has found the target, and the initializer has returned."""
        self.words[READY] = 1

    def begin_finalizer(self, now_ns: int) -> None:
        self.words[FINALIZING] = now_ns

    # -- read by the parent

    @property
    def finalizing_since(self) -> int:
        """When the child called its finalizer (ns, CLOCK_MONOTONIC); 0 if it hasn't."""
        return self.words[FINALIZING]

    @property
    def is_ready(self) -> bool:
        return self.words[READY] != 0

    @property
    def task(self) -> int | None:
        """The index of the running task; None if idle."""
        noted = self.words[TASK]
        return noted - 1 if noted else None

    @property
    def round(self) -> int:
        """How often the child has forgotten its lines.

        If it is equal before and after a read, all lines read belong to one run.
        """
        return self.words[ROUND]

    def at_work(self) -> tuple[int, int] | None:
        """Return the running task and its start; None if two reads differ, because the child is between two tasks."""
        seen = (self.words[TASK], self.words[BEGAN])
        if not seen[0] or seen != (self.words[TASK], self.words[BEGAN]):
            return None
        return seen[0] - 1, seen[1]

    def kept(self) -> tuple[int, list[bytes]] | None:
        """Return finished tasks that may not be sent, as (index of the first, lines without newlines).

        Return None if there are none, or if they changed during the read.
        """
        round_, first, used = self.words[ROUND], self.words[FIRST], self.words[USED]
        lines = bytes(self.lines[:used])
        # The child may have sent these lines and begun a new run during the copy. Then the copy is worthless.
        if not used or round_ != self.words[ROUND] or first != self.words[FIRST]:
            return None
        return first, lines.split(b"\n")[:-1]

    def counted(self) -> tuple[int, int] | None:
        """As `kept`, for a worker that only counts: (index of the first task, number of tasks that returned)."""
        round_, first, count = self.words[ROUND], self.words[FIRST], self.words[USED]
        if not count or round_ != self.words[ROUND] or first != self.words[FIRST]:
            return None
        return first, count

    # -- written by the parent, read by the child

    @property
    def stopped(self) -> bool:
        return self.words[STOP] != 0

    def stop(self) -> None:
        """Ask the child to start no further task."""
        self.words[STOP] = 1

    def go_on(self) -> None:
        """Take back `stop`."""
        self.words[STOP] = 0


def _attach(handle: Any) -> Board:
    return Board(handle.detach())
