"""The Python stacks of a child, on demand: a signal makes the interpreter write them where the parent can read.

`faulthandler` writes from the signal's C handler, so it works while the child is in C code and holds the lock.
"""

from __future__ import annotations

import faulthandler
import os
import signal
from multiprocessing import reduction
from typing import Any

from mprun.system.memory import anonymous_file

SIGNAL = signal.SIGRTMIN + 3 if hasattr(signal, "SIGRTMIN") else signal.SIGUSR2
MAX_STACKS = 16 * 1024  # bytes of one report


class Stacks:
    """A file in memory that both sides hold: the child appends a report, the parent reads what is new."""

    def __init__(self, fd: int | None = None) -> None:
        self._fd = anonymous_file(0) if fd is None else fd
        self._read = 0

    def __reduce__(self) -> tuple[Any, ...]:
        return _attach, (reduction.DupFd(self._fd),)

    def enable(self) -> None:
        """In the child: write a report whenever SIGNAL arrives."""
        faulthandler.register(SIGNAL, file=self._fd, all_threads=True)

    def new(self) -> str:
        """In the parent: the reports since the last look."""
        data = os.pread(self._fd, MAX_STACKS, self._read)
        self._read += len(data)
        return data.decode("utf-8", "backslashreplace")

    def close(self) -> None:
        os.close(self._fd)


def _attach(handle: Any) -> Stacks:
    return Stacks(handle.detach())
