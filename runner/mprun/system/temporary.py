"""A temporary folder of this process's own, and the removal of those that killed processes left.

Its owner holds a record lock on a file in it for life, and the kernel frees that lock however the owner ends. Whoever
can lock the file may remove the folder. `multiprocessing` in this process and its children uses the folder in place of
its own `pymp-…`, of which nobody can know what program it belongs to, and whether that is still there.

A process loses its record locks on a file when it closes any descriptor of that file: so nothing here opens the lock of
its own folder twice.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import process, util

_LOCK = "mprun.lock"
_PREFIX = "mprun-{uid}-"
_RANDOM = r"[a-z0-9_]{8}"  # what mkdtemp appends
_LONGEST = 107 - len("/listener-12345678")  # bytes of a path in which a socket still fits
_TRIES = 10  # each fails only if another process swept the folder before it was locked
_FOLDER = os.O_RDONLY | os.O_DIRECTORY


@dataclass(frozen=True, slots=True)
class _Own:
    pid: int
    path: str
    identity: tuple[int, int]  # device and inode
    lock: int  # a descriptor that stays open


_own: _Own | None = None


def claim_folder() -> str:
    """The folder of this process, which is made at the first call; empty where it can't be made.

    `multiprocessing` uses it from then on, unless it has made one already.
    """
    global _own
    if _own is None or _own.pid != os.getpid():
        _own = _claimed()
        if _own is not None:
            util.Finalize(None, _remove_own, args=(_own,), exitpriority=-100)  # when multiprocessing removes its own
            _config().setdefault("tempdir", _own.path)
    return _own.path if _own else ""


def remove_abandoned_folders() -> None:
    """Remove the folders of this user's processes that were killed, and nothing else."""
    name = re.compile(re.escape(_prefix()) + _RANDOM)
    with contextlib.suppress(OSError), _opened(tempfile.gettempdir(), _FOLDER) as base:
        for found in filter(name.fullmatch, os.listdir(base)):
            with contextlib.suppress(OSError):  # its owner is at work, another process is removing it, or it isn't ours
                _remove_if_free(base, found)


def _claimed() -> _Own | None:
    with contextlib.suppress(OSError):
        for _ in range(_TRIES):
            if (own := _made_and_locked()) is not None:
                return own
    return None


def _made_and_locked() -> _Own | None:
    """None where another process has removed the folder before it was locked. Raises OSError."""
    path = tempfile.mkdtemp(prefix=_prefix())
    try:
        if len(os.fsencode(path)) > _LONGEST:
            raise OSError(f"{path} is too long for a socket in it")
        lock = os.open(os.path.join(path, _LOCK), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except FileNotFoundError:
        return None
    except OSError:
        os.rmdir(path)
        raise
    try:
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(lock), os.stat(os.path.join(path, _LOCK))):
            found = os.stat(path)
            return _Own(os.getpid(), path, (found.st_dev, found.st_ino), lock)
    except (BlockingIOError, PermissionError, FileNotFoundError):
        pass
    except OSError:  # a file system without locks
        os.close(lock)
        shutil.rmtree(path, ignore_errors=True)
        raise
    os.close(lock)
    return None


def _remove_if_free(base: int, name: str) -> None:
    """Remove the folder `name` in `base` if it is ours and its lock is free. Raises OSError.

    Everything is reached through descriptors, so that nobody can put something else in its place meanwhile.
    """
    with _opened(name, _FOLDER | os.O_NOFOLLOW, base) as folder:
        if not _is_of_a_process_of_ours(os.fstat(folder)):
            return
        with _opened(_LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK, folder) as lock:  # it might be a FIFO
            if _is_lock(os.fstat(lock)):
                fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(folder, name, base)


def _is_of_a_process_of_ours(found: os.stat_result) -> bool:
    """Whether this user made the folder as `mkdtemp` does, and in another process than this."""
    ours = found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) == 0o700
    return ours and (_own is None or (found.st_dev, found.st_ino) != _own.identity)


def _is_lock(found: os.stat_result) -> bool:
    return stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and found.st_nlink == 1 and not found.st_size


def _remove(folder: int, name: str, base: int | None = None) -> None:
    """Remove the open `folder` and what is in it; the lock last, so that a removal cut short can be repeated."""
    with os.scandir(folder) as found:
        are_folders = {entry.name: entry.is_dir(follow_symlinks=False) for entry in found if entry.name != _LOCK}
    for entry, is_folder in are_folders.items():
        if is_folder:
            shutil.rmtree(entry, dir_fd=folder)
        else:
            os.unlink(entry, dir_fd=folder)
    os.unlink(_LOCK, dir_fd=folder)
    os.rmdir(name, dir_fd=base)


def _remove_own(own: _Own) -> None:
    config = _config()
    if config.get("tempdir") == own.path:
        config["tempdir"] = None
    with contextlib.suppress(OSError), _opened(own.path, _FOLDER | os.O_NOFOLLOW) as folder:
        _remove(folder, own.path)


def _config() -> dict[str, str | None]:
    """Where multiprocessing.util.get_temp_dir stores its folder, and from where a Process takes it to the child."""
    return process.current_process()._config  # type: ignore[attr-defined, no-any-return]


def _prefix() -> str:
    return _PREFIX.format(uid=os.geteuid())


@contextlib.contextmanager
def _opened(path: str, flags: int, base: int | None = None) -> Iterator[int]:
    descriptor = os.open(path, flags, dir_fd=base)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
