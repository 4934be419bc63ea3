"""A file that appears under its name when it is whole, or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from types import TracebackType
from typing import Self

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
    killed. Elsewhere it has a hidden name beside `path`. What is no file, such as /dev/null, is written as it is.
    Raises OSError.
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
            self._name = self._hidden_name()
            self.fd = os.open(self._name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self.fd)
        if self._name:
            with contextlib.suppress(OSError):
                os.unlink(self._name)

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
        name = self._hidden_name()
        folder = os.open(self._folder, os.O_PATH | os.O_CLOEXEC)
        try:
            # With a `dir_fd` Python calls `linkat`, which follows the link in /proc; `link` would not.
            os.link(f"/proc/self/fd/{self.fd}", os.path.basename(name), dst_dir_fd=folder, follow_symlinks=True)
        finally:
            os.close(folder)
        return name

    def _hidden_name(self) -> str:
        return os.path.join(self._folder, f".{os.path.basename(self._path)[:200]}.{secrets.token_hex(4)}.unfinished")
