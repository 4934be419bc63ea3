"""Reads a log that is still being written, to the end of its run."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import BinaryIO

from mprun.log.reading.last import run_end
from mprun.log.reading.lines import blocks
from mprun.log.reading.lock import is_locked

INTERVAL = 0.1  # seconds between two reads


def follow(file: BinaryIO) -> Iterator[bytes]:
    """Yield blocks of whole lines of `file`, including those that are still to come, until its writer has ended."""
    while True:
        # Before reading: what the writer writes before it ends is then read in this turn. Asked afterwards, the last
        # lines could be missed.
        at_work = is_locked(file.fileno())
        start = file.tell()
        for block in blocks(file):
            start += len(block)
            yield block
        file.seek(start)  # a torn line is read again when it is whole
        if not at_work:
            return
        time.sleep(INTERVAL)


def has_ended_early(file: BinaryIO) -> bool:
    """Return whether the log has no end and nobody writes it."""
    return not run_end(file) and not is_locked(file.fileno())
