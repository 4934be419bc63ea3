"""A log that is still written, read to the end of its run."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import BinaryIO

from mprun.log.reading.last import run_end
from mprun.log.reading.lines import blocks
from mprun.log.reading.lock import is_locked

INTERVAL = 0.1  # seconds between two looks


def follow(file: BinaryIO) -> Iterator[bytes]:
    """The whole lines of `file`, also those that are still to come, until its writer has ended."""
    while True:
        at_work = is_locked(file.fileno())  # asked before reading: what is written before the end is still read
        start = file.tell()
        for block in blocks(file):
            start += len(block)
            yield block
        file.seek(start)  # a torn line is read again when it is whole
        if not at_work:
            return
        time.sleep(INTERVAL)


def has_ended_early(file: BinaryIO) -> bool:
    """Whether nobody writes a log any more that has no end."""
    return not run_end(file) and not is_locked(file.fileno())
