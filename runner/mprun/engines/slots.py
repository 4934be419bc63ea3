"""How many children may be at work at once over the whole run (`max_parallel`).

An engine takes a slot before it starts a child, and gives it back when it has joined the child.
"""

from __future__ import annotations

from collections.abc import Callable


class Slots:
    """`most` slots (0: no bound). Calls `on_free` when a slot becomes free."""

    def __init__(self, most: int) -> None:
        self.on_free: Callable[[], None] = _nothing
        self._bounded = most > 0
        self._free = most

    def take(self, count: int = 1) -> bool:
        """Take `count` slots, or none where fewer are free."""
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
