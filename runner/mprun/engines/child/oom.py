"""Which deaths the kernel's out-of-memory killer explains: each kill that the kernel counts explains one death."""

from __future__ import annotations

from collections.abc import Callable

from mprun.system.machine import oom_kills


class OomKills:
    """The kills that explain no death yet. The kernel counts them for all processes of the cgroup together."""

    def __init__(self, count: Callable[[], int] = oom_kills) -> None:
        self.count = count
        self._explained = 0

    def explain_one(self, before: int) -> bool:
        """Whether a kill explains a child that died by SIGKILL and started when `count()` was `before`."""
        self._explained = max(self._explained, before)
        if self.count() <= self._explained:
            return False
        self._explained += 1
        return True


# One for the whole process, as the kernel has one count for it.
kernel_kills = OomKills()
