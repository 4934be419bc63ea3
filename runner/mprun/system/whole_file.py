"""A file that appears under its name when it is whole, or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import stat
from types import TracebackType
from typing import Self

_HIDDEN = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
_OF_THE_SYSTEM = ("/dev", "/dev/fd", "/proc/self/fd")


def is_special(path: str) -> bool:
    """Whether `path` is a device, a pipe or a socket. A file in its place would take it from everybody else.

    /dev/stdout is one wherever it leads.
    """
    if os.path.dirname(path) in _OF_THE_SYSTEM:
        return True
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


class WholeFile:
    """A file at `path`, which may replace another one. Write to `fd`, and call `publish`; else nothing of it stays.

    Until then it has no name, where the file system allows that: it is gone with its last process, even if that is
    killed. Elsewhere it has a hidden name beside `path`, and the next WholeFile there overwrites what a kill has left.
    What is no file, such as /dev/null, is written as it is. Raises OSError.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._is_replaced = not is_special(path)
        self._folder = os.path.dirname(path) or "."
        self._name = ""  # its hidden name, where it has one
        if not self._is_replaced:
            self.fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOCTTY | os.O_CLOEXEC)
            return
        os.makedirs(self._folder, exist_ok=True)
        try:
            self.fd = os.open(self._folder, os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, 0o666)
        except OSError:
            self._name, self.fd = self._left_over() or self._new()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._name:
            with contextlib.suppress(OSError):
                os.unlink(self._name)  # while it is locked: the next one would take it
        os.close(self.fd)

    def publish(self) -> None:
        """Sync it and give it its name, in one step: whoever opens that name finds the old file or this one."""
        if not self._is_replaced:
            return
        os.fsync(self.fd)
        if not self._name:
            self._name = self._linked()
        os.rename(self._name, self._path)
        self._name = ""

    def _linked(self) -> str:
        """Link the file to a hidden name: a link can't replace another file, as a rename can."""
        name = self._hidden_name(secrets.token_hex(4))
        folder = os.open(self._folder, os.O_PATH | os.O_CLOEXEC)
        try:
            # With a `dir_fd` Python calls `linkat`, which follows the link in /proc; `link` would not.
            os.link(f"/proc/self/fd/{self.fd}", os.path.basename(name), dst_dir_fd=folder, follow_symlinks=True)
        finally:
            os.close(folder)
        return name

    def _left_over(self) -> tuple[str, int] | None:
        """Open the file of a usual hidden name, which a killed process may have left; None while somebody writes to it.

        A program that outlives its child still has the lock.
        """
        name = self._hidden_name()
        try:
            fd = os.open(name, _HIDDEN | os.O_CREAT, 0o666)
        except OSError:
            return None
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(fd), os.stat(name, follow_symlinks=False)):  # else it has just been published
                os.ftruncate(fd, 0)
                return name, fd
        except OSError:
            pass
        os.close(fd)
        return None

    def _new(self) -> tuple[str, int]:
        name = self._hidden_name(secrets.token_hex(4))
        return name, os.open(name, _HIDDEN | os.O_CREAT | os.O_EXCL, 0o666)

    def _hidden_name(self, token: str = "0") -> str:
        return os.path.join(self._folder, f".{os.path.basename(self._path)[:200]}.{token}.unfinished")
