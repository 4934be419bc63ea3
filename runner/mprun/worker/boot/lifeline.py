"""Makes the kernel kill a child's whole process group when its parent is gone.

The parent holds the only write end of a pipe. When the parent ends, in whatever way, the kernel sends the signal that
the child chose for this pipe: SIGKILL, to the group. No thread is needed, so this works while C code holds the GIL.
Unlike PR_SET_PDEATHSIG, it works under `forkserver`, where the server is the parent, and it reaches grandchildren.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import threading


def hold(fd: int) -> None:
    """Tie this process's group to the pipe with the read end `fd`."""
    if hasattr(fcntl, "F_SETSIG"):
        # The order matters: O_ASYNC switches the signal on, so the group and the signal are set before. The default,
        # SIGIO to nobody, would let the group live on.
        fcntl.fcntl(fd, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) | os.O_ASYNC)
        waiting = select.poll()  # not select(), which takes no descriptor above 1023
        waiting.register(fd, select.POLLIN)
        if waiting.poll(0):  # the parent ended before O_ASYNC was set, so no signal comes
            _kill_group()
    else:
        threading.Thread(target=_wait, args=(fd,), daemon=True).start()


def _wait(fd: int) -> None:
    """Wait for the parent's end in a thread, on systems that can't choose the signal.

    The thread needs the GIL to notice.
    """
    os.read(fd, 1)
    _kill_group()


def _kill_group() -> None:
    os.killpg(os.getpgrp(), signal.SIGKILL)
