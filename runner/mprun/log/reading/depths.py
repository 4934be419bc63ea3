"""How much was in a queue over time: looked at in even intervals, no more of them than can be shown."""

from __future__ import annotations

from datetime import datetime

MAX_SAMPLES = 128
FIRST_INTERVAL = 0.25  # seconds; it doubles whenever there are too many samples


class Depths:
    """Takes depths in the order of time, starting from an empty queue. `most` is the largest of all."""

    def __init__(self, began: str) -> None:
        self.most = 0
        self.samples: list[int] = []  # the depth at the end of each interval
        self._began = datetime.fromisoformat(began)
        self._interval = FIRST_INTERVAL
        self._depth = 0

    def take(self, at: str, depth: int) -> None:
        """From the moment `at` on there were `depth` objects in it."""
        self.until(at)
        self._depth = depth
        self.most = max(self.most, depth)

    def until(self, at: str) -> None:
        """Nothing has changed until the moment `at`."""
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
        """What it was at half of the times, at most."""
        ordered = sorted(self.samples or [self._depth])
        return ordered[(len(ordered) - 1) // 2]
