"""What a file is, in a short text: two states of a file with the same text have the same content."""

from __future__ import annotations

import os
from hashlib import blake2b

MAX_HASHED = 64 * 1024 * 1024  # bytes; a larger file counts by its stat

_BLOCK = 1 << 20


def fingerprint(path: str) -> str:
    """That of the file at `path`: of its bytes, or for a large one of its size, times and inode; empty for no file."""
    try:
        with open(path, "rb", buffering=0, opener=_opener) as file:
            stat = os.fstat(file.fileno())
            if stat.st_size > MAX_HASHED:
                return f"{stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns} {stat.st_ino}"
            digest = blake2b(digest_size=16)
            while block := file.read(_BLOCK):
                digest.update(block)
            return digest.hexdigest()
    except OSError:
        return ""


def _opener(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)  # a FIFO would wait for its writer
