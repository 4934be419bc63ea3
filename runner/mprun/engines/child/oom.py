"""Which deaths are the work of the kernel's out-of-memory killer: each kill that it counts explains one."""

from __future__ import annotations

from collections.abc import Callable

from mprun.system.machine import oom_kills


class OomKills:
    """The kernel's kills that explain no death yet. It counts them for all processes of the cgroup together."""

    def __init__(self, count: Callable[[], int] = oom_kills) -> None:
        self.count = count
        self._explained = 0

    def explain_one(self, before: int) -> bool:
        """Whether a child can be one of them that died by SIGKILL and started when `count()` was `before`."""
        self._explained = max(self._explained, before)
        if self.count() <= self._explained:
            return False
        self._explained += 1
        return True


# One for the whole process, as the kernel has one count for it.
kernel_kills = OomKills()
