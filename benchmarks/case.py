"""What one row of the benchmarks is: its contenders, and how it is judged."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MEGA = 1024 * 1024

Contender = Callable[[int], float]
Figures = Mapping[str, float]  # by contender


@dataclass(frozen=True)
class Goal:
    """`judged` (of the medians) is to be at least, or at most, `bound`."""

    text: str
    bound: float
    at_least: bool
    judged: Callable[[Figures], float]
    unit: str = " ×"

    def reached(self, value: float) -> bool:
        return operator.ge(value, self.bound) if self.at_least else operator.le(value, self.bound)


@dataclass(frozen=True)
class Case:
    """One row. `first` is the contender that the goal is about; a row without a goal is there for comparison."""

    name: str
    title: str
    size: int
    contenders: Mapping[str, Contender]
    goal: Goal | None
    unit: str = "s"
    digits: int = 3

    @property
    def first(self) -> str:
        return next(iter(self.contenders))


def times_as_fast(factor: float, against: Sequence[str], text: str) -> Goal:
    """mprun is to be `factor` times as fast as the fastest of `against`."""

    def judged(figures: Figures) -> float:
        return min(figures[name] for name in against) / figures["mprun"]

    return Goal(f"≥ {factor:g} × {text}", factor, True, judged)


def times_as_long(factor: float, against: str, text: str) -> Goal:
    """mprun is to take no more than `factor` times as long as `against`."""
    return Goal(f"≤ {factor:g} × {text}", factor, False, lambda figures: figures["mprun"] / figures[against])


def own_peak() -> int:
    """Bytes. Not `ru_maxrss` where it can be helped: that one counts what this process was before its `exec`."""
    try:
        status = Path("/proc/self/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))) * 1024
    except (OSError, StopIteration):
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
