"""The names that semaphores have in the system, and what a killed run left of them."""

from __future__ import annotations

import os
from collections.abc import Iterator

_FOLDER = "/dev/shm"
_MARK = "mprun-"


def semaphore_prefix(run_id: str) -> str:
    """What the names of a run's semaphores begin with: whose they are, and which process made them.

    Empty where the system doesn't show them: a name there may have no more than a few letters.
    """
    if not os.path.isdir(_FOLDER):
        return ""
    try:
        return f"/{_MARK}{os.getpid()}-{_started(os.getpid())}-{run_id[-8:]}"
    except (OSError, IndexError):  # multiprocessing's own names do as well; nobody can tell whose they are
        return ""


def remove_left_behind() -> None:
    """Remove this user's semaphores of runs whose process is gone: somebody has killed all that would have done so."""
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
    except OSError:  # somebody was quicker
        return False


def _is_gone(pid: int, started: str) -> bool:
    """Whether the process `pid` that started at `started` is no more there; where one can't tell, it is taken to be."""
    try:
        return _started(pid) != started
    except (FileNotFoundError, ProcessLookupError):
        return True
    except (OSError, IndexError):  # such as: this process has too many files open
        return False


def _started(pid: int) -> str:
    """When process `pid` started, in ticks since the machine did. Raises OSError, IndexError."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
        return stat.read().rpartition(")")[2].split()[19]


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return
