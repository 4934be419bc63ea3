"""Parses a long log in several processes, a stretch each. The results come in the order of the log."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from mprun.errors.exceptions import UsageError
from mprun.log.reading.lines import BLOCK, NO_LINE
from mprun.log.verifying.parse import Parsed, parse
from mprun.system.machine import available_cpus

WORTH_IT = 32 * 1024 * 1024  # bytes; a longer log is parsed by several processes
STRETCH = 4 * 1024 * 1024  # bytes that one process parses at a time


class ParseBeside:
    """Parses the log at `path`. Use it as a context manager, and iterate once.

    It forks its processes when it is made, and must be made before any thread starts. Raises UsageError if a process
    dies.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._size = os.path.getsize(path)
        self._cpus = available_cpus()
        self._pool = ProcessPoolExecutor(self._cpus, multiprocessing.get_context("fork"))
        self._starts = iter(range(0, self._size, STRETCH))
        self._waiting: deque[Future[list[Parsed]]] = deque()
        self._submit()

    def __enter__(self) -> ParseBeside:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def __iter__(self) -> Iterator[list[Parsed]]:
        try:
            while self._waiting:
                yield self._waiting.popleft().result()
                self._submit()
        except BrokenProcessPool as error:
            raise UsageError("a process that read the log was killed; is there too little memory?") from error

    def _submit(self) -> None:
        """Keep each process busy and one stretch ahead. More would only fill memory: results wait until their turn."""
        while len(self._waiting) < 2 * self._cpus and (start := next(self._starts, None)) is not None:
            end = min(start + STRETCH, self._size)
            self._waiting.append(self._pool.submit(parse_stretch, self._path, start, end))


def parse_stretch(path: str, start: int, end: int) -> list[Parsed]:
    """Return the content of the lines of the file at `path` that begin in the bytes `start` to `end` - 1.

    Each line belongs to the stretch in which it begins. So the stretches together hold each line once, without agreeing
    on the ends of lines.
    """
    found: list[Parsed] = []
    with open(path, "rb") as file:
        if start:
            # From the byte before: if a line ends exactly there, this reads its newline and nothing of the next line.
            file.seek(start - 1)
            file.readline(NO_LINE)  # the rest of a line that began in the stretch before
        while file.tell() < end:
            block = file.read(min(BLOCK, end - file.tell()))
            if not block.endswith(b"\n"):
                block += file.readline(NO_LINE)
            whole = block.rfind(b"\n") + 1
            # Without a torn last line, unless it is too long for a line.
            found += parse(block[:whole] if len(block) - whole < NO_LINE else block)
    return found
