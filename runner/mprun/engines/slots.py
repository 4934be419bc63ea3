"""How many children may be at work at once over the whole run (`max_parallel`).

A slot is taken before a child is started and given back when it has been joined.
"""

from __future__ import annotations

from collections.abc import Callable


class Slots:
    """`most` slots (0: as many as anybody asks for). `on_free` is called when one has been given back."""

    def __init__(self, most: int) -> None:
        self.on_free: Callable[[], None] = _nothing
        self._bounded = most > 0
        self._free = most

    def take(self, count: int = 1) -> bool:
        """Take `count` slots, or none where that many aren't free."""
        if self._bounded:
            if self._free < count:
                return False
            self._free -= count
        return True

    def give_back(self, count: int = 1) -> None:
        if self._bounded:
            self._free += count
            self.on_free()


def _nothing() -> None:
    """Nobody waits."""
