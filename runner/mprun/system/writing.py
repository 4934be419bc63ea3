"""Writes to a reader that may stall (a pager, a full pipe). Waits for it, but not forever once the run must end.

As with any program, a slow reader slows a run. Only its end must not depend on a reader.
"""

from __future__ import annotations

import errno
import math
import os
import select
import stat
import time

PATIENCE = 2.0  # seconds that a stalled reader has once the run must end
PIECE = select.PIPE_BUF  # bytes; a pipe with room takes these without waiting

_LOOK = 100  # milliseconds between two checks whether the run must end

_hurried_since = math.inf  # seconds, time.monotonic
_given_up: set[int] = set()  # descriptors of stalled readers: never wait for them again


def hurry() -> None:
    """From now on give up stalled readers. A signal handler may call this."""
    global _hurried_since
    _hurried_since = min(_hurried_since, time.monotonic())


def take_time() -> None:
    """Wait for readers without limit again: a new run starts."""
    global _hurried_since
    _hurried_since = math.inf
    _given_up.clear()


def write_all(fd: int, data: bytes) -> None:
    """Write all of `data` to `fd`. Raises OSError, and TimeoutError where it gave up the reader."""
    left = memoryview(data)
    piece = len(left) if stat.S_ISREG(os.fstat(fd).st_mode) else PIECE
    while left:
        wait_for_room(fd)
        try:
            left = left[os.write(fd, left[:piece]) :]
        except BlockingIOError:  # another process made a standard stream non-blocking
            continue


def wait_for_room(fd: int) -> None:
    """Wait until `fd` accepts data, or reports an error. Raises TimeoutError where it gave up the reader."""
    room = select.poll()
    room.register(fd, select.POLLOUT)
    began = time.monotonic()
    while not room.poll(_LOOK):
        if fd in _given_up or time.monotonic() > max(began, _hurried_since) + PATIENCE:
            _given_up.add(fd)
            raise TimeoutError(errno.ETIMEDOUT, "its reader has stalled")
