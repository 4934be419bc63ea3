"""The event log's file: whole lines, appended by one writer, on disk soon, and an honest error when that fails."""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections.abc import Callable

from mprun.engines.loop import Loop
from mprun.errors import LogError

MAX_UNWRITTEN = 64 * 1024  # bytes
MAX_DELAY = 0.05  # seconds that a line may stay unwritten
SYNC_INTERVAL = 1.0  # seconds


class EventLog:
    """Takes finished lines (`msg`) and writes them in order.

    When a write fails, `error` says why, `on_error` is called once, and nothing is written any more: a gap inside a
    log would be worse than an end that is missing.
    """

    def __init__(self, fd: int, loop: Loop, on_error: Callable[[str], None]) -> None:
        self.error = ""
        self._fd = fd
        self._loop = loop
        self._on_error = on_error
        self._lines: list[bytes] = []
        self._unwritten = 0
        self._flush_is_due = False
        self._flush_is_soon = False
        self._synced = time.monotonic()

    def msg(self, line: bytes) -> None:
        """Take one line, its newline included."""
        self._lines.append(line)
        self._unwritten += len(line)
        if self._unwritten >= MAX_UNWRITTEN:
            self.flush()
        elif not self._flush_is_due:
            self._flush_is_due = True
            self._loop.call_later(MAX_DELAY, self._flush_when_due)

    def flush_soon(self) -> None:
        """Write what was taken at the end of the loop's present pass."""
        if not self._flush_is_soon:
            self._flush_is_soon = True
            self._loop.call_soon(self._flush_now)

    def _flush_now(self) -> None:
        self._flush_is_soon = False
        self.flush()

    def flush(self) -> None:
        """Write what was taken; about once a second bring it to the disk as well."""
        data, self._lines, self._unwritten = b"".join(self._lines), [], 0
        if self.error or not data:
            return
        try:
            _write_all(self._fd, data)
            if time.monotonic() - self._synced >= SYNC_INTERVAL:
                self._sync()
        except OSError as error:
            self.error = error.strerror or str(error)
            self._on_error(self.error)

    def close(self) -> None:
        """Write and sync the rest. The descriptor is closed unless it is a standard stream."""
        self.flush()
        if not self.error:
            try:
                self._sync()
            except OSError as error:
                self.error = error.strerror or str(error)
                self._on_error(self.error)
        if self._fd > 2:
            with contextlib.suppress(OSError):
                os.close(self._fd)

    def _flush_when_due(self) -> None:
        self._flush_is_due = False
        self.flush()

    def _sync(self) -> None:
        self._synced = time.monotonic()
        with contextlib.suppress(OSError) if not _is_file(self._fd) else contextlib.nullcontext():
            os.fdatasync(self._fd)


def open_log(path: str) -> int:
    """Create the log file: it must not exist, nor be a link. Returns its descriptor. Raises LogError."""
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileExistsError as error:
        raise LogError(f"the log {path} can't be created: it exists already, and a log is never overwritten") from error
    except OSError as error:
        raise LogError(f"the log {path} can't be created: {error.strerror}") from error


def _write_all(fd: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        try:
            left = left[os.write(fd, left) :]
        except BlockingIOError:  # a standard stream that somebody made non-blocking
            room = select.poll()
            room.register(fd, select.POLLOUT)
            room.poll()


def _is_file(fd: int) -> bool:
    import stat

    return stat.S_ISREG(os.fstat(fd).st_mode)
