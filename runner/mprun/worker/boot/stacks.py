"""The Python stacks of a child on request: on a signal, the interpreter writes them where the parent can read them.

`faulthandler` writes from the C signal handler, so this works while C code holds the GIL.
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
    """A file in memory that both sides hold. The child appends reports; the parent reads the new ones."""

    def __init__(self, fd: int | None = None) -> None:
        self._fd = anonymous_file(0) if fd is None else fd
        self._read = 0

    def __reduce__(self) -> tuple[Any, ...]:
        return _attach, (reduction.DupFd(self._fd),)

    def enable(self) -> None:
        """Write a report whenever SIGNAL arrives. Called in the child."""
        faulthandler.register(SIGNAL, file=self._fd, all_threads=True)

    def new(self) -> str:
        """Return the reports since the last call. Called in the parent."""
        data = os.pread(self._fd, MAX_STACKS, self._read)
        self._read += len(data)
        return data.decode("utf-8", "backslashreplace")

    def close(self) -> None:
        os.close(self._fd)


def _attach(handle: Any) -> Stacks:
    return Stacks(handle.detach())
