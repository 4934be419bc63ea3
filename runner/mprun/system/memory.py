"""Shared memory without a name: the system frees it with the last process that has it."""

from __future__ import annotations

import os
import tempfile


def anonymous_file(size: int) -> int:
    """A descriptor of an unnamed file of `size` zero bytes. Raises OSError."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("mprun", os.MFD_CLOEXEC)
    else:
        with tempfile.TemporaryFile() as file:
            fd = os.dup(file.fileno())
    os.ftruncate(fd, size)
    return fd
