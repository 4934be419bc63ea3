"""Redirects a child's standard streams into pipes. Each line by Python code keeps the task that printed it.

Descriptors 1 and 2 are pipes to the parent, so that output of C code and grandchildren arrives too. Output of Python
code goes through frames instead, in order with the results. Only so is it certain which of many quick tasks printed it.
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
    """What sends the output: this process's `ChildProcess`."""

    stdout: Any
    stderr: Any
    board: Board

    def send(self, kind: int, *parts: bytes) -> None: ...
    def is_this_process(self) -> bool: ...


class _Framed(io.BufferedIOBase):
    """The binary file below `sys.stdout` or `sys.stderr`. It collects a line until it is complete, then sends it."""

    def __init__(self, fd: int, process: OutputSender) -> None:
        self._fd = fd
        self._process = process
        self._pending = b""
        self._lock = threading.RLock()  # re-entrant: a signal handler of the user's may print during a print

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
        else:  # the user's code forked; the copy must not write into this process's frames
            os.write(self._fd, data)


class _Copy:
    """Ends a copy of this process that the user's code forked and that returned from the call.

    The call is its parent's to report.
    """

    def flush(self) -> None:
        os._exit(0)


# What must be flushed between two tasks. It is nearly always empty, which is quick to test.
unfinished: list[_Framed | _Copy] = []


def redirect_output(process: OutputSender) -> None:
    """Give this process an empty standard input, and the parent's pipes as its output."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)  # reading the terminal would stop a background process group
    os.close(nothing)
    for fd, ends in ((1, process.stdout), (2, process.stderr)):
        os.dup2(ends.childs.fileno(), fd)
        ends.childs.close()
    os.register_at_fork(after_in_child=lambda: unfinished.append(_Copy()))
    sys.stdout, sys.stderr = (_text_stream(_Framed(fd, process)) for fd in (1, 2))


def _text_stream(file: Any) -> io.TextIOWrapper:
    return io.TextIOWrapper(file, encoding="utf-8", errors="backslashreplace", line_buffering=True, write_through=True)


def flush_output() -> None:
    """Send what was printed without a newline, so that it arrives before the next report."""
    while unfinished:
        unfinished.pop().flush()
