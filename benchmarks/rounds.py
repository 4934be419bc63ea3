"""Measures cases in rounds: each contender in turn, each in a fresh interpreter that inherits nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

from benchmarks.case import Case

TIME_LIMIT = 600.0  # seconds for one measurement; some peers hang
MAX_MESSAGE = 300  # characters of what a contender complained of


@dataclass
class Measured:
    """The figures of each contender of `case`, a figure a round. `failures` says why there are none."""

    case: Case
    size: int
    figures: dict[str, list[float]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def medians(self) -> dict[str, float]:
        return {name: median(figures) for name, figures in self.figures.items()}

    @property
    def value(self) -> float | None:
        """What the goal is about; None where there is no goal, or a contender that it needs has failed."""
        if self.case.goal is None:
            return None
        try:
            return self.case.goal.judged(self.medians)
        except KeyError:
            return None


def measure(case: Case, *, rounds: int, scale: float, tell: Callable[[str], None]) -> Measured:
    measured = Measured(case, max(1, round(case.size * scale)))
    for number in range(1, rounds + 1):
        for contender in case.contenders:
            if contender in measured.failures:
                continue
            tell(f"{case.name} {number}/{rounds}: {contender}")
            try:
                measured.figures.setdefault(contender, []).append(_once(case, contender, measured.size))
            except MeasurementError as error:
                measured.failures[contender] = str(error)
                measured.figures.pop(contender, None)
                tell(f"{case.name}: {contender} failed: {error}")
    return measured


class MeasurementError(Exception):
    """A contender raised, or took too long."""


def _environment() -> dict[str, str]:
    """This process's, in which what a checkout holds may be compiled once for all, as what is installed has been."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _once(case: Case, contender: str, size: int) -> float:
    command = [sys.executable, "-m", "benchmarks.measure", case.name, contender, str(size)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, env=_environment()
    ) as program:
        try:
            told, complaints = program.communicate(timeout=TIME_LIMIT)
        except subprocess.TimeoutExpired:
            os.killpg(program.pid, signal.SIGKILL)
            raise MeasurementError(f"it took longer than {TIME_LIMIT:g} s") from None
    if program.returncode != 0:
        last = (complaints.strip().splitlines() or [f"exit code {program.returncode}"])[-1]
        raise MeasurementError(last[:MAX_MESSAGE])
    return float(told.splitlines()[-1])
