"""A child's standard streams: into pipes, each line by Python code with the task that printed it.

Descriptors 1 and 2 are pipes to the parent, so that C code's and grandchildren's output arrives too. What Python code
prints goes as frames instead, in order with the results: only so is it certain which of many quick tasks printed it.
"""

from __future__ import annotations

import io
import os
import sys
import threading
from typing import TYPE_CHECKING, Any, Protocol

from mprun.worker.wire.frames import OUTPUT, output_body

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

    from mprun.worker.wire.board import Board

MAX_PENDING = 8 * 1024  # bytes of an unfinished line


class OutputSender(Protocol):
    """Who sends what is printed: this process's `ChildProcess`."""

    stdout: Any
    stderr: Any
    board: Board

    def send(self, kind: int, *parts: bytes) -> None: ...
    def is_this_process(self) -> bool: ...


class _Framed(io.BufferedIOBase):
    """The binary file below `sys.stdout` or `sys.stderr`: holds a line back until it is finished, then sends it."""

    def __init__(self, fd: int, process: OutputSender) -> None:
        self._fd = fd
        self._process = process
        self._pending = b""
        self._lock = threading.RLock()  # a signal handler of the user's may print amid a print

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._fd

    def write(self, data: ReadableBuffer, /) -> int:
        written = bytes(data)
        with self._lock:
            self._pending += written
            if b"\n" in written or len(self._pending) > MAX_PENDING:
                self._send()
            elif self._pending and self not in unfinished:
                unfinished.append(self)
        return len(written)

    def flush(self) -> None:
        if self._pending:
            with self._lock:
                self._send()

    def _send(self) -> None:
        data, self._pending = self._pending, b""
        if self._process.is_this_process():
            self._process.send(OUTPUT, output_body(self._process.board.task, self._fd - 1, data))
        else:  # a process that the user's code forked off
            os.write(self._fd, data)


class _Copy:
    """Ends a process that the user's code forked off and that came back from it: its work is its parent's to do."""

    def flush(self) -> None:
        os._exit(0)


# What has to be looked after between two tasks: empty nearly always, which is quickly seen.
unfinished: list[_Framed | _Copy] = []


def redirect_output(process: OutputSender) -> None:
    """Give this process an empty standard input and the parent's pipes as its output."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)  # a background process group that reads the terminal would be stopped
    os.close(nothing)
    for fd, ends in ((1, process.stdout), (2, process.stderr)):
        os.dup2(ends.childs.fileno(), fd)
        ends.childs.close()
    os.register_at_fork(after_in_child=lambda: unfinished.append(_Copy()))
    sys.stdout, sys.stderr = (_text_stream(_Framed(fd, process)) for fd in (1, 2))


def _text_stream(file: Any) -> io.TextIOWrapper:
    return io.TextIOWrapper(file, encoding="utf-8", errors="backslashreplace", line_buffering=True, write_through=True)


def flush_output() -> None:
    """Send what was printed without a newline, so that it comes before the next report to the parent."""
    while unfinished:
        unfinished.pop().flush()
