"""Finds out whether a run is still at work: the process that writes a log holds a lock on it as long as it lives."""

from __future__ import annotations

import errno
import fcntl


def is_locked(fd: int) -> bool:
    """Return whether another process writes the log open at `fd`.

    The process itself never sees its own lock: POSIX locks exclude only other processes.
    """
    try:
        fcntl.lockf(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in (errno.EACCES, errno.EAGAIN)
    fcntl.lockf(fd, fcntl.LOCK_UN)
    return False
