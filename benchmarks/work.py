"""What the workers of every contender run. Imports next to nothing: each worker imports it."""

from __future__ import annotations

import time
from typing import Any


def square(number: int) -> int:
    return number * number


def busy(number: int) -> int:
    """Hold the CPU for 50 µs."""
    until = time.perf_counter_ns() + 50_000
    while time.perf_counter_ns() < until:
        pass
    return number


def nap(seconds: float) -> list[float]:
    """Sleep; when that began and ended (`time.monotonic`, one clock for all processes)."""
    began = time.monotonic()
    time.sleep(seconds)
    return [began, time.monotonic()]


def size(array: Any) -> int:
    """Bytes of a numpy array, which has been read to its end."""
    return int(array[-1]) + int(array.nbytes)


def brighter(array: Any) -> Any:
    """A new array with every byte one higher."""
    return array + 1


def nothing_of(item: Any) -> None:
    """The shortest task."""


def nothing() -> None:
    """The shortest Process."""
