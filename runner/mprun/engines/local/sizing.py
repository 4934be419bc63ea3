"""How many tasks go to a worker at once: enough that sending costs little, few enough that all end together.

Guided self-scheduling (Polychronopoulos and Kuck, 1987) bounds a batch by a share of what is left; measured time
bounds it by how long it will take.
"""

from __future__ import annotations

AIM = 0.1  # seconds of work in one batch
AHEAD = 0.02  # seconds; a batch that takes less than this would leave its worker waiting for the next
MOST = 1 << 14  # tasks; also bounds how late a worker notices that the parent wants it to stop
MOST_BYTES = 1 << 20  # of pickled items in one batch


class Sizer:
    """Learns from finished batches and says how large the next one should be. `fixed` (0: none) overrides it."""

    def __init__(self, workers: int, fixed: int = 0) -> None:
        self._workers = workers
        self._fixed = fixed
        self._size = 1
        self._seconds = 0.0  # of one task; 0 until measured
        self._bytes = 1.0  # of one item

    def measured(self, tasks: int, seconds: float) -> None:
        """`tasks` have taken `seconds` of one worker's time."""
        one = seconds / tasks
        self._seconds = one if not self._seconds else 0.7 * self._seconds + 0.3 * one
        self._size = min(2 * self._size, max(1, round(AIM / max(self._seconds, 1e-9))), MOST)

    def pickled(self, items: int, length: int) -> None:
        """A batch of `items` made `length` bytes."""
        self._bytes = max(length / items, 1.0)

    def next(self, left: int | None) -> int:
        """The size of the next batch where `left` tasks remain (None: unknown)."""
        if self._fixed:
            return self._fixed
        size = min(self._size, max(1, int(MOST_BYTES / self._bytes)))
        return size if left is None else max(1, min(size, left // (2 * self._workers)))

    @property
    def wants_ahead(self) -> bool:
        """Whether a worker should get its next batch before it has finished this one."""
        return 0 < self._seconds < AHEAD
