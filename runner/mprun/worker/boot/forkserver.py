"""The parent's handle of a child of the fork server. Several threads may poll it."""

from __future__ import annotations

import contextlib
import os
import threading
from multiprocessing import connection, popen_forkserver
from multiprocessing.process import BaseProcess


class Popen(popen_forkserver.Popen):
    """Polls under a lock, because the fork server sends the exit code only once, through a pipe.

    Two threads (ours and the Pool's) may poll at the same time. Without the lock, one of them would find the pipe empty
    and report 255 as exit code.
    """

    def __init__(self, process_obj: BaseProcess) -> None:
        self._asked = threading.Lock()
        super().__init__(process_obj)

    def _launch(self, process_obj: BaseProcess) -> None:
        # A request that breaks off half-way, because no descriptor is free, ends the server with a traceback.
        _make_sure_of_descriptors()
        try:
            super()._launch(process_obj)  # type: ignore[misc]
        except EOFError as error:
            raise OSError("the fork server has ended; as a rule it could start no further process") from error

    def poll(self, flag: int = os.WNOHANG) -> int | None:
        if flag != os.WNOHANG and self.returncode is None:
            connection.wait([self.sentinel])
        with self._asked:
            return super().poll(os.WNOHANG)


def _make_sure_of_descriptors() -> None:
    """Raise OSError if there are too few free descriptors for a request, which needs a socket and two pipes."""
    with contextlib.ExitStack() as opened:
        for _ in range(3):
            for fd in os.pipe():
                opened.callback(os.close, fd)
