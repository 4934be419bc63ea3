"""Whether a run is still at work: its log is locked by the process that writes it, for as long as that lives."""

from __future__ import annotations

import errno
import fcntl


def is_locked(fd: int) -> bool:
    """Whether another process writes the log open at `fd`."""
    try:
        fcntl.lockf(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in (errno.EACCES, errno.EAGAIN)
    fcntl.lockf(fd, fcntl.LOCK_UN)
    return False
