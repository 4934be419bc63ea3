"""A long log parsed by several processes, each a stretch of it at a time; what they found comes in the log's order."""

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

WORTH_IT = 32 * 1024 * 1024  # bytes of a log that is parsed by more than this process
STRETCH = 4 * 1024 * 1024  # bytes that a process is given at once


class ParseBeside:
    """Parses the log at `path`. Use as a context manager; the processes are forked when it is made, before any thread.

    Iterate once. Raises UsageError where a process dies.
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
        """Keep each process busy and one stretch ahead, and no more: what they found waits in memory."""
        while len(self._waiting) < 2 * self._cpus and (start := next(self._starts, None)) is not None:
            end = min(start + STRETCH, self._size)
            self._waiting.append(self._pool.submit(parse_stretch, self._path, start, end))


def parse_stretch(path: str, start: int, end: int) -> list[Parsed]:
    """The whole lines of the file at `path` that begin at `start` or later and before `end`."""
    found: list[Parsed] = []
    with open(path, "rb") as file:
        if start:
            file.seek(start - 1)
            file.readline(NO_LINE)  # the rest of a line that began earlier
        while file.tell() < end:
            block = file.read(min(BLOCK, end - file.tell()))
            if not block.endswith(b"\n"):
                block += file.readline(NO_LINE)
            whole = block.rfind(b"\n") + 1
            found += parse(block[:whole] if len(block) - whole < NO_LINE else block)  # without a torn last line
    return found
