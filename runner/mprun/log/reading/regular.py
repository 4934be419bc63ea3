"""Opens a file of a run for reading: never a pipe or a device, which may block forever."""

from __future__ import annotations

import errno
import os
import stat
from typing import BinaryIO


def open_regular(path: str) -> BinaryIO:
    """Open the file at `path`. Raises OSError, also if it is not a regular file."""
    return open(path, "rb", opener=_open)


def _open(path: str, flags: int) -> int:
    fd = os.open(path, flags | os.O_NONBLOCK)  # without this flag, opening a pipe waits for its writer
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return fd
    os.close(fd)
    raise OSError(errno.EINVAL, "it is not a regular file", path)
