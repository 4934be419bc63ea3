"""Holds a step back whose results are taken as they come: it isn't to get far ahead of those who take them.

Only who is at work on them counts. One that has not started yet may be waiting for the very children that this step
has, and finds all the results in their files when it starts: so nothing waits in a circle.
"""

from __future__ import annotations

from collections.abc import Callable

MOST_VALUES = 1000  # that may wait for a taker; or four times as many as it has taken at once
MOST_BYTES = 64 * 1024 * 1024  # of values that may wait for a taker


class Taker:
    """The step `name`, which takes another's results as they come: what it has taken so far."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.values = 0
        self.bytes = 0
        self.at_once = 0  # the most values that it has taken at once

    def took(self, lengths: list[int]) -> None:
        """It has taken values of `lengths` at once."""
        self.values += len(lengths)
        self.bytes += sum(lengths)
        self.at_once = max(self.at_once, len(lengths))


class Takers:
    """All that are at work on the results of one step. `on_room` is called when they have caught up after a hold."""

    def __init__(self) -> None:
        self.on_room: Callable[[], None] = _nobody
        self._values = 0
        self._bytes = 0
        self._at_work: list[Taker] = []
        self._held_back = False

    def there_are_more(self, lengths: list[int]) -> None:
        """The step has given values of `lengths`."""
        self._values += len(lengths)
        self._bytes += sum(lengths)

    def begin(self, name: str) -> Taker:
        self._at_work.append(Taker(name))
        return self._at_work[-1]

    def end(self, taker: Taker) -> None:
        """It takes no more, and nothing is held back for it."""
        if taker in self._at_work:
            self._at_work.remove(taker)
            self.caught_up()

    def caught_up(self) -> None:
        """One has taken some: let the step go on if that was what it waited for."""
        if self._held_back and not self.hold_back():
            self.on_room()

    def hold_back(self) -> bool:
        """Whether the step is to begin no further task for now."""
        self._held_back = bool(self.far_behind)
        return self._held_back

    @property
    def far_behind(self) -> list[str]:
        """The steps that must take more before the step is to begin another task."""
        return [taker.name for taker in self._at_work if self._is_far_behind(taker)]

    def _is_far_behind(self, taker: Taker) -> bool:
        most = max(MOST_VALUES, 4 * taker.at_once)
        return self._values - taker.values > most or self._bytes - taker.bytes > MOST_BYTES


def _nobody() -> None:
    """Nobody is there to be told."""
