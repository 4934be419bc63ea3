"""Ctrl-Z and `fg`: the children are in groups of their own, so mprun passes both on to them."""

from __future__ import annotations

import os
import signal

from mprun.engines.loop import Loop
from mprun.running.scheduler import Scheduler


def follow_suspension(loop: Loop, scheduler: Scheduler) -> None:
    """Stop every child when this process is told to stop, and let them go on when it goes on."""

    def suspend(number: int) -> None:
        _signal_all(scheduler, signal.SIGSTOP)
        before = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)  # stops here until the shell continues this process
        signal.signal(signal.SIGTSTP, before)
        _signal_all(scheduler, signal.SIGCONT)

    loop.on_signals([signal.SIGTSTP], suspend)


def _signal_all(scheduler: Scheduler, number: int) -> None:
    for execution in list(scheduler.at_work.values()):
        execution.signal(number)
