"""Reads the lines of a log in bulk for `complete`: of results of tasks that returned, it reads only the tasks'
indexes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mprun.log.codec import columns
from mprun.log.codec.columns import Line, Results
from mprun.log.verifying.tasks import runs_of


@dataclass(frozen=True, slots=True)
class Returned:
    """Results of tasks of `step` that returned, on consecutive lines. `seq` is the number of the first line.

    `runs` are the tasks in the order of the log, as ranges (first, end).
    """

    step: str
    seq: int
    runs: list[tuple[int, int]]

    @property
    def tasks(self) -> Iterator[int]:
        return (task for first, end in self.runs for task in range(first, end))

    @property
    def lines(self) -> int:
        return sum(end - first for first, end in self.runs)


Parsed = Returned | bytes  # results in bulk, or a line


def parse(block: bytes) -> list[Parsed]:
    """Return the content of `block`, which holds whole lines."""
    return list(map(_parsed, columns.read(block)))


def _parsed(part: Results | Line) -> Parsed:
    return part.text if isinstance(part, Line) else Returned(part.step, part.seq, list(runs_of(part.tasks)))
