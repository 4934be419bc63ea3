"""Memory that belongs to no file: gone with the last process that has it, however that one ends."""

from __future__ import annotations

import os
import tempfile


def anonymous_file(size: int) -> int:
    """A descriptor of a file without a name, `size` bytes of zeros long. Raises OSError."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("mprun", os.MFD_CLOEXEC)
    else:
        with tempfile.TemporaryFile() as file:
            fd = os.dup(file.fileno())
    os.ftruncate(fd, size)
    return fd
