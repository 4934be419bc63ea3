"""The event log's file: one writer appends whole lines, seals them, and syncs them soon; a failure is reported once."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mprun.errors.exceptions import LogError
from mprun.log import seals
from mprun.log.codec.seal_lines import sealed
from mprun.log.head import HeadFile
from mprun.system.loop import Loop
from mprun.system.writing import write_all

MAX_UNWRITTEN = 64 * 1024  # bytes
MAX_DELAY = 0.05  # seconds that a line may stay unwritten


class EventLog:
    """Takes finished lines (`msg`) and writes them in order.

    About once a second, it seals and syncs what it has written.

    `seal_line` makes the line of a seal from its fields, without the key `seal`. Set it before the first line.

    When a write fails, `error` holds the reason, `on_error` is called once, and nothing more is written. A gap inside a
    log would be worse than a missing end.
    """

    seal_line: Callable[[Mapping[str, Any]], bytes]

    def __init__(self, fd: int, loop: Loop, on_error: Callable[[str], None], head: HeadFile | None = None) -> None:
        self.error = ""
        self.seal = ""  # the last seal's own hash
        self._fd = fd
        self._loop = loop
        self._on_error = on_error
        self._head = head
        self._lines: list[bytes] = []
        self._count = 0  # unwritten lines
        self._unwritten = 0
        self._total = 0  # written lines
        self._chain = seals.Chain()
        self._flush_is_due = False
        self._flush_is_soon = False
        self._seal_is_due = False

    def msg(self, line: bytes, lines: int = 1) -> None:
        """Take one line with its newline, or as many lines in one piece as `lines` says."""
        self._lines.append(line)
        self._count += lines
        self._unwritten += len(line)
        if self._unwritten >= MAX_UNWRITTEN:
            self.flush()
        elif not self._flush_is_due:
            self._flush_is_due = True
            self._loop.call_later(MAX_DELAY, self._flush_when_due)

    def flush_soon(self) -> None:
        """Write what was taken at the end of the loop's current pass.

        A pass may read many pipes; one write then serves all of them.
        """
        if not self._flush_is_soon:
            self._flush_is_soon = True
            self._loop.call_soon(self._flush_now)

    def _flush_now(self) -> None:
        self._flush_is_soon = False
        self.flush()

    def flush(self) -> None:
        """Write what was taken."""
        data, lines = b"".join(self._lines), self._count
        self._lines, self._count, self._unwritten = [], 0, 0
        if self.error or not data:
            return
        with self._failing():
            write_all(self._fd, data)
            self._chain.cover(data, lines)
            self._total += lines
            if not self._seal_is_due and self._chain.has_news:
                self._seal_is_due = True
                self._loop.call_later(seals.INTERVAL, self._seal_when_due)

    def wants_seal(self, lines: int) -> bool:
        """Return whether a seal should come before `lines` more lines."""
        unsealed = self._chain.lines + self._count
        return unsealed + lines > seals.LINES and unsealed > bool(self._chain.previous)

    def add_seal(self) -> None:
        """Write what was taken, then take the line that seals it."""
        self.flush()
        if not self.error:
            line, self.seal = sealed(self.seal_line(self._chain.fields()))
            # The chain starts over before the seal's line is written: that line is the first that the next seal covers.
            self._chain.go_on(self.seal)
            self.msg(line)

    def close(self) -> None:
        """Write, seal and sync the rest. The log stays locked until `release`."""
        self._seal_and_sync(finished=True)

    def release(self) -> None:
        """Close the descriptor unless it is a standard stream. From here on, the run counts as ended."""
        if self._fd > 2:
            with contextlib.suppress(OSError):
                os.close(self._fd)

    def _flush_when_due(self) -> None:
        self._flush_is_due = False
        self.flush()

    def _seal_when_due(self) -> None:
        self._seal_is_due = False
        self._seal_and_sync(finished=False)

    def _seal_and_sync(self, *, finished: bool) -> None:
        """Seal and sync the log, then replace the head.

        The head comes last: it must never claim bytes that a power cut may take from the log.
        """
        self.add_seal()
        self.flush()
        if self.error:
            return
        with self._failing():
            self._sync()
            if self._head is not None:
                self._head.replace(size=self._chain.end, lines=self._total, seal=self.seal, finished=finished)

    @contextlib.contextmanager
    def _failing(self) -> Iterator[None]:
        """End the log at the first write that fails, and report that once."""
        try:
            yield
        except OSError as error:
            self.error = error.strerror or str(error)
            self._on_error(self.error)

    def _sync(self) -> None:
        # Pipes and terminals can't be synced. Only for a file is a failed sync a failure of the log.
        with contextlib.suppress(OSError) if not _is_file(self._fd) else contextlib.nullcontext():
            os.fdatasync(self._fd)


def open_log(path: str) -> int:
    """Create the log file at `path`, which must not exist, not even as a link. Return its descriptor. Raises LogError.

    The file stays locked as long as this process lives. By the lock, a reader distinguishes a running run from a killed
    one.
    """
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileExistsError as error:
        raise LogError(f"the log {path} can't be created: it exists already, and a log is never overwritten") from error
    except OSError as error:
        raise LogError(f"the log {path} can't be created: {error.strerror}") from error
    # A POSIX lock belongs to the process: unlike `flock`'s, no child inherits it and holds it for longer. The price:
    # the lock ends as soon as this process closes any descriptor of the file, so a run must not open its own log a
    # second time.
    with contextlib.suppress(OSError):  # a file system without locks
        fcntl.lockf(fd, fcntl.LOCK_EX)
    return fd


def _is_file(fd: int) -> bool:
    import stat

    return stat.S_ISREG(os.fstat(fd).st_mode)
