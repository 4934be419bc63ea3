"""Back-pressure: a step whose results stream to other steps must not run far ahead of these consumers.

Only running consumers count. One that has not started may wait for the very children that this step has, and finds all
results in their files when it starts: so no two steps can wait for each other.
"""

from __future__ import annotations

from collections.abc import Callable

MOST_VALUES = 1000  # that may wait for a consumer; or four times as many as it has taken at once
MOST_BYTES = 64 * 1024 * 1024  # of values that may wait for a consumer


class Consumer:
    """The step `name`, which consumes another's results as they come: what it has taken so far."""

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


class Consumers:
    """The running consumers of one step's results. Calls `on_room` when they have caught up after a hold."""

    def __init__(self) -> None:
        self.on_room: Callable[[], None] = _nobody
        self._values = 0
        self._bytes = 0
        self._at_work: list[Consumer] = []
        self._held_back = False

    def has_more(self, lengths: list[int]) -> None:
        """The step has produced values of `lengths`."""
        self._values += len(lengths)
        self._bytes += sum(lengths)

    def begin(self, name: str) -> Consumer:
        self._at_work.append(Consumer(name))
        return self._at_work[-1]

    def end(self, consumer: Consumer) -> None:
        """It takes no more; hold nothing back for it."""
        if consumer in self._at_work:
            self._at_work.remove(consumer)
            self.caught_up()

    def caught_up(self) -> None:
        """A consumer has taken some: let the step continue if it waited for that."""
        if self._held_back and not self.hold_back():
            self.on_room()

    def hold_back(self) -> bool:
        """Whether the step must start no further task for now."""
        self._held_back = bool(self.far_behind)
        return self._held_back

    @property
    def far_behind(self) -> list[str]:
        """The consumers that must take more before the step may start another task."""
        return [consumer.name for consumer in self._at_work if self._is_far_behind(consumer)]

    def _is_far_behind(self, consumer: Consumer) -> bool:
        most = max(MOST_VALUES, 4 * consumer.at_once)
        return self._values - consumer.values > most or self._bytes - consumer.bytes > MOST_BYTES


def _nobody() -> None:
    """Nobody waits."""
