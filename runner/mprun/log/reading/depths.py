"""The depth of a queue over time, sampled in even intervals, with a bounded number of samples."""

from __future__ import annotations

from datetime import datetime

MAX_SAMPLES = 128
FIRST_INTERVAL = 0.25  # seconds; it doubles whenever MAX_SAMPLES are reached


class Depths:
    """Takes depths in order of time. The queue is empty at first. `most` is the largest depth."""

    def __init__(self, began: str) -> None:
        self.most = 0
        self.samples: list[int] = []  # the depth at the end of each interval
        self._began = datetime.fromisoformat(began)
        self._interval = FIRST_INTERVAL
        self._depth = 0

    def take(self, at: str, depth: int) -> None:
        """Record that the queue holds `depth` objects from the time `at` (RFC 3339) on."""
        self.until(at)
        self._depth = depth
        self.most = max(self.most, depth)

    def until(self, at: str) -> None:
        """Record that nothing changes until the time `at` (RFC 3339)."""
        seconds = (datetime.fromisoformat(at) - self._began).total_seconds()
        while (len(self.samples) + 1) * self._interval <= seconds:
            self.samples.append(self._depth)
            if len(self.samples) == MAX_SAMPLES:
                self._interval *= 2
                self.samples = self.samples[1::2]

    @property
    def least(self) -> int:
        return min(self.samples, default=self._depth)

    @property
    def median(self) -> int:
        """The depth that the queue did not exceed half of the time."""
        ordered = sorted(self.samples or [self._depth])
        return ordered[(len(ordered) - 1) // 2]
