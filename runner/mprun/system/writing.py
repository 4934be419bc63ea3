"""Writes whose reader may have stalled (a pager, a full pipe): waits for it, but once the run is to end not for ever.

A run is as fast as whoever reads its output, as any program is; only its end must not depend on a reader.
"""

from __future__ import annotations

import errno
import math
import os
import select
import stat
import time

PATIENCE = 2.0  # seconds that a stalled reader is given once the run is to end
PIECE = select.PIPE_BUF  # bytes; a pipe that has room takes so many without waiting

_LOOK = 100  # milliseconds; how often it is seen whether the run is to end

_hurried_since = math.inf  # seconds, time.monotonic
_given_up: set[int] = set()  # descriptors that are not waited for a second time


def hurry() -> None:
    """From now on give up on a reader who has stalled. May be called by a signal handler."""
    global _hurried_since
    _hurried_since = min(_hurried_since, time.monotonic())


def take_time() -> None:
    """Wait for readers as long as they want: a new run begins."""
    global _hurried_since
    _hurried_since = math.inf
    _given_up.clear()


def write_all(fd: int, data: bytes) -> None:
    """Write `data` to `fd`, whole. Raises OSError, TimeoutError where it has given up on the reader."""
    left = memoryview(data)
    piece = len(left) if stat.S_ISREG(os.fstat(fd).st_mode) else PIECE
    while left:
        wait_for_room(fd)
        try:
            left = left[os.write(fd, left[:piece]) :]
        except BlockingIOError:  # a standard stream that somebody made non-blocking
            continue


def wait_for_room(fd: int) -> None:
    """Wait until `fd` takes something, or refuses it. Raises TimeoutError where it has given up on the reader."""
    room = select.poll()
    room.register(fd, select.POLLOUT)
    began = time.monotonic()
    while not room.poll(_LOOK):
        if fd in _given_up or time.monotonic() > max(began, _hurried_since) + PATIENCE:
            _given_up.add(fd)
            raise TimeoutError(errno.ETIMEDOUT, "its reader has stalled")
