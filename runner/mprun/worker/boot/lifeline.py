"""Makes the kernel kill a child's whole process group when its parent is gone.

The parent holds the only write end of a pipe. When it ends, however it ends, the pipe reports it by a signal that the
child asked for beforehand: SIGKILL, to the group. No thread is needed, so it works while C code holds the interpreter
lock; unlike PR_SET_PDEATHSIG it works under `forkserver`, where the server is the parent, and reaches grandchildren.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import threading


def hold(fd: int) -> None:
    """Tie this process's group to the pipe whose read end is `fd`."""
    if hasattr(fcntl, "F_SETSIG"):
        fcntl.fcntl(fd, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) | os.O_ASYNC)
        waiting = select.poll()  # not select(), which takes no descriptor above 1023
        waiting.register(fd, select.POLLIN)
        if waiting.poll(0):  # the parent ended before the kernel knew
            _kill_group()
    else:
        threading.Thread(target=_wait, args=(fd,), daemon=True).start()


def _wait(fd: int) -> None:
    """Where the kernel can't choose the signal: a thread, which needs the interpreter lock to notice."""
    os.read(fd, 1)
    _kill_group()


def _kill_group() -> None:
    os.killpg(os.getpgrp(), signal.SIGKILL)
