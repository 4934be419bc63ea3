"""A file of a run, opened to be read: never a pipe or a device, which might not end, or not even begin."""

from __future__ import annotations

import errno
import os
import stat
from typing import BinaryIO


def open_regular(path: str) -> BinaryIO:
    """The file at `path`. Raises OSError."""
    return open(path, "rb", opener=_open)


def _open(path: str, flags: int) -> int:
    fd = os.open(path, flags | os.O_NONBLOCK)  # otherwise a pipe waits for its writer
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return fd
    os.close(fd)
    raise OSError(errno.EINVAL, "it is not a regular file", path)
