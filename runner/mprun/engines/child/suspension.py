"""Notices that somebody has stopped a child (SIGSTOP), and that it goes on: the kernel tells only its real parent."""

from __future__ import annotations

from collections.abc import Callable

from mprun.system.loop import Loop
from mprun.system.machine import is_stopped

LOOK_INTERVAL = 1.0  # seconds; a stop is told when two looks in a row have seen it


class SuspensionWatch:
    """Looks at process `pid` until it is closed; calls `tell(suspended)` whenever that has changed."""

    def __init__(self, loop: Loop, pid: int, tell: Callable[[bool], None]) -> None:
        self.suspended = False
        self._loop = loop
        self._pid = pid
        self._tell = tell
        self._seen = False
        self._timer = loop.call_later(LOOK_INTERVAL, self._look)

    def close(self) -> None:
        self._timer.cancel()
        del self._tell  # no cycle is to keep the child and its descriptors until the next garbage collection

    def _look(self) -> None:
        self._timer = self._loop.call_later(LOOK_INTERVAL, self._look)
        before, self._seen = self._seen, is_stopped(self._pid)
        suspended = self._seen and before
        if suspended != self.suspended:
            self.suspended = suspended
            self._tell(suspended)
