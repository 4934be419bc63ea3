"""Feeds a pool's items to `multiprocessing.Pool`: numbered, counted, and bounded where they stream."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

from mprun.engines.supply.supply import Supply


class Feed:
    """Yields (index, item) of `supply`, which has all items at any time, to the Pool's thread that reads tasks.

    `ahead` bounds how many may be without a result (0: no bound). When the supply ends, or the feed is stopped before
    that (`cut`), it calls `on_end` in the reading thread.
    """

    def __init__(self, supply: Supply, ahead: int, on_end: Callable[[], None]) -> None:
        self.submitted = 0
        self.ended = False
        self.cut = False
        self._supply = supply
        self._room = threading.Semaphore(ahead) if ahead else None
        self._stopped = False
        self._on_end = on_end

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        for numbered in enumerate(self._items()):
            if self._room is not None:
                self._room.acquire()
            if self._stopped:
                self.cut = True
                break
            self.submitted += 1
            yield numbered
        self.ended = True
        self._on_end()

    def _items(self) -> Iterator[Any]:
        """Yield items, read one at a time if only reading can show whether there is another, which may take long."""
        most = 1 if self._supply.count is None else 1000
        while items := self._supply.take(most):
            yield from items

    def done_one(self) -> None:
        """Make room for one more item: a result came in."""
        if self._room is not None:
            self._room.release()

    def stop(self) -> None:
        """Yield no more."""
        self._stopped = True
        if self._room is not None:
            self._room.release()
