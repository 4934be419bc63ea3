"""The parent's handle of a child of the fork server, safe to ask from several threads."""

from __future__ import annotations

import contextlib
import os
import threading
from multiprocessing import connection, popen_forkserver
from multiprocessing.process import BaseProcess


class Popen(popen_forkserver.Popen):
    """The server sends the exit code once, through a pipe. Of two threads that ask at the same time (ours and the
    Pool's), one would find the pipe empty and take 255 for the exit code."""

    def __init__(self, process_obj: BaseProcess) -> None:
        self._asked = threading.Lock()
        super().__init__(process_obj)

    def _launch(self, process_obj: BaseProcess) -> None:
        # A request that is broken off half-way, for want of a descriptor, is the end of the server, with a traceback.
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
    """Raises OSError where there is no room for those of a request: its socket, and two pipes."""
    with contextlib.ExitStack() as opened:
        for _ in range(3):
            for fd in os.pipe():
                opened.callback(os.close, fd)
