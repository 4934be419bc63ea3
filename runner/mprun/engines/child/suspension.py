"""Notices that somebody suspends a child (SIGSTOP) or continues it. The kernel notifies only its real parent."""

from __future__ import annotations

from collections.abc import Callable

from mprun.system.loop import Loop
from mprun.system.machine import is_stopped

LOOK_INTERVAL = 1.0  # seconds; a stop counts when two looks in a row see it


class SuspensionWatch:
    """Looks at process `pid` until it is closed; calls `report(suspended)` at each change."""

    def __init__(self, loop: Loop, pid: int, report: Callable[[bool], None]) -> None:
        self.suspended = False
        self._loop = loop
        self._pid = pid
        self._report = report
        self._seen = False
        self._timer = loop.call_later(LOOK_INTERVAL, self._look)

    def close(self) -> None:
        self._timer.cancel()
        del self._report  # a cycle would keep the child and its descriptors until the next garbage collection

    def _look(self) -> None:
        self._timer = self._loop.call_later(LOOK_INTERVAL, self._look)
        before, self._seen = self._seen, is_stopped(self._pid)
        suspended = self._seen and before
        if suspended != self.suspended:
            self.suspended = suspended
            self._report(suspended)
