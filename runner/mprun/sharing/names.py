"""The names of semaphores in the system, and the removal of those that a killed run left."""

from __future__ import annotations

import os
from collections.abc import Iterator

_FOLDER = "/dev/shm"
_MARK = "mprun-"


def semaphore_prefix(run_id: str) -> str:
    """The prefix of the names of a run's semaphores: the user and the process that made them.

    Empty where the system doesn't list them: names may have only a few letters there.
    """
    if not os.path.isdir(_FOLDER):
        return ""
    try:
        return f"/{_MARK}{os.getpid()}-{_started(os.getpid())}-{run_id[-8:]}"
    except (OSError, IndexError):  # multiprocessing's own names do: nobody can list them anyway
        return ""


def remove_left_behind() -> None:
    """Remove this user's semaphores of runs whose processes were all killed before they could remove them."""
    for name in list(_semaphores()):
        pid, _, started = name.removeprefix(f"sem.{_MARK}").partition("-")
        if pid.isdecimal() and _is_gone(int(pid), started.partition("-")[0]):
            _remove(os.path.join(_FOLDER, name))


def _semaphores() -> Iterator[str]:
    try:
        with os.scandir(_FOLDER) as entries:
            yield from (entry.name for entry in entries if entry.name.startswith(f"sem.{_MARK}") and _is_ours(entry))
    except OSError:
        return


def _is_ours(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.stat(follow_symlinks=False).st_uid == os.getuid()
    except OSError:  # another run was quicker
        return False


def _is_gone(pid: int, started: str) -> bool:
    """Whether the process `pid` that started at `started` is gone. Where that is unknown, assume that it lives."""
    try:
        return _started(pid) != started
    except (FileNotFoundError, ProcessLookupError):
        return True
    except (OSError, IndexError):  # for example, too many open files in this process
        return False


def _started(pid: int) -> str:
    """When process `pid` started, in clock ticks since boot. Raises OSError, IndexError."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
        return stat.read().rpartition(")")[2].split()[19]


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return
