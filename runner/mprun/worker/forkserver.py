"""The parent's handle of a child of the fork server, safe to ask from several threads."""

from __future__ import annotations

import os
import threading
from multiprocessing import connection, popen_forkserver
from multiprocessing.process import BaseProcess


class Popen(popen_forkserver.Popen):
    """The server tells the exit code once, through a pipe. Of two threads that ask at the same time (ours and the
    Pool's), one would find the pipe empty and take 255 for the exit code."""

    def __init__(self, process_obj: BaseProcess) -> None:
        self._asked = threading.Lock()
        super().__init__(process_obj)

    def poll(self, flag: int = os.WNOHANG) -> int | None:
        if flag != os.WNOHANG and self.returncode is None:
            connection.wait([self.sentinel])
        with self._asked:
            return super().poll(os.WNOHANG)
