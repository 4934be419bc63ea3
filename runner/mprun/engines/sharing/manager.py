"""The run's manager: one more process, which holds the dicts and lists that children share.

It starts when something needs it, and ends with the run, however the run ends.
"""

from __future__ import annotations

import os
import signal
import sys
from multiprocessing import get_context, managers, resource_tracker
from typing import Any

from mprun.plan.plan import StartMethod
from mprun.worker.boot import lifeline
from mprun.worker.boot.process import Ends, close_parents_own


class RunManager:
    """A `multiprocessing.Manager` that starts at the first `get`."""

    def __init__(self, start_method: StartMethod) -> None:
        self._start_method = start_method
        self._manager: Any = None
        self._life: Ends | None = None

    def get(self) -> Any:
        """The manager. Raises OSError and EOFError where it can't start."""
        if self._manager is None:
            self._start()
        return self._manager

    def _start(self) -> None:
        life = Ends(child_writes=False)
        manager = managers.SyncManager(address=_address(), ctx=get_context(self._start_method))
        resource_tracker.ensure_running()  # its start would unblock the signals
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTSTP})
        try:
            manager.start(_set_up, (life,))
        except BaseException:
            life.close_parents()
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            life.childs.close()
        self._manager, self._life = manager, life

    def close(self) -> None:
        """End it, if it was started, and wait for its end."""
        if self._manager is not None:
            self._manager.shutdown()
            self._manager = None
        if self._life is not None:
            self._life.close_parents()
            self._life = None


def _address() -> str | None:
    """A name that leaves no file behind, where the system has such."""
    return f"\0mprun-{os.getpid()}-{os.urandom(8).hex()}" if sys.platform == "linux" else None


def _set_up(life: Ends) -> None:
    """In the manager's process: end with mprun alone, not with what a terminal sends."""
    os.setpgid(0, 0)
    close_parents_own()
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    life.move_up()
    lifeline.hold(life.childs.fileno())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTSTP})
