"""Ctrl-Z and `fg`: the children are in groups of their own, so mprun passes both on to them."""

from __future__ import annotations

import os
import signal

from mprun.running.stages import Stages
from mprun.system.loop import Loop


def follow_suspension(loop: Loop, stages: Stages) -> None:
    """Stop every child when this process is told to stop, and let them go on when it goes on."""

    def suspend(number: int) -> None:
        _signal_all(stages, signal.SIGSTOP)
        before = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)  # stops here until the shell continues this process
        signal.signal(signal.SIGTSTP, before)
        _signal_all(stages, signal.SIGCONT)

    loop.on_signals([signal.SIGTSTP], suspend)


def _signal_all(stages: Stages, number: int) -> None:
    for execution in stages.at_work:
        execution.signal(number)
