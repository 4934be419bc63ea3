"""What was found in source files, stored beside the runs: a file with the same stat isn't read again."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable
from hashlib import file_digest
from typing import Any, NamedTuple

from mprun.code.source import Import, Source, read_source

VERSION = 1  # the version of the cache file and of the digests in it
RACY = 2_000_000_000  # ns: a file that was changed this recently may change again and keep its times

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_LARGEST = 64 * 1024 * 1024  # bytes of the cache's own file


class Stamp(NamedTuple):
    """The facts by which a file is known to be unchanged."""

    size: int
    mtime: int
    ctime: int
    inode: int


def stamp_of(path: str) -> Stamp:
    """Return the stamp of the file at `path`; for a link, with the later time of both. Raises OSError."""
    there, link = os.stat(path), os.lstat(path)
    return Stamp(there.st_size, there.st_mtime_ns, max(there.st_ctime_ns, link.st_ctime_ns), there.st_ino)


class CodeCache:
    """Reads source files, and remembers them in the file `path`; only in this process if that is empty.

    A cache that can't be read counts as empty, and one that can't be written is skipped: it only saves time.
    """

    def __init__(self, path: str = "") -> None:
        self.stamps: dict[str, Stamp] = {}  # of the requested files
        self._path = path
        self._changed = False
        self._known = _read(path) if path else {}
        self._sources: dict[str, Source] = {}
        self._listed: dict[str, dict[str, list[str]]] = {}

    def source(self, path: str, *, compiled: bool = False) -> Source:
        """Return the module in the file `path`: parsed, or if `compiled` by its bytes. Raises OSError."""
        if path not in self._sources:
            self._sources[path] = self._source(path, compiled)
        return self._sources[path]

    def distributions(self, folder: str, read: Callable[[str], dict[str, list[str]]]) -> dict[str, list[str]]:
        """Return what `read` finds in `folder`, which is read again if its time has changed."""
        if folder not in self._listed:
            try:
                self._listed[folder] = self._distributions(folder, read)
            except OSError:
                self._listed[folder] = {}
        return self._listed[folder]

    def save(self) -> None:
        """Write what was read since. If another process does so at the same time, only time is lost."""
        if not self._changed or not self._path:
            return
        self._changed = False
        beside = f"{self._path}.{os.getpid()}"
        with contextlib.suppress(OSError):
            with open(os.open(beside, _NEW_FILE, 0o600), "w", encoding="utf-8") as file:
                json.dump({"version": _version(), "files": self._known}, file)
            os.replace(beside, self._path)

    def _source(self, path: str, compiled: bool) -> Source:
        stamp = self.stamps[path] = stamp_of(path)
        known = self._known.get(path, ())
        if known and known[0] == list(stamp):
            with contextlib.suppress(TypeError, ValueError, IndexError):
                return _source_of(known[1])
        with open(path, "rb") as file:
            found = Source(file_digest(file, "sha256").hexdigest()) if compiled else read_source(file.read())
        self._remember(path, stamp, found)
        return found

    def _distributions(self, folder: str, read: Callable[[str], dict[str, list[str]]]) -> dict[str, list[str]]:
        stamp = stamp_of(folder)
        known = self._known.get(folder, ())
        if known and known[0] == list(stamp) and isinstance(known[1], dict):
            return known[1]
        found = read(folder)
        self._remember(folder, stamp, found)
        return found

    def _remember(self, path: str, stamp: Stamp, found: Any) -> None:
        if time.time_ns() - max(stamp.mtime, stamp.ctime) > RACY:
            self._known[path] = [list(stamp), found]
            self._changed = True


def _source_of(known: Any) -> Source:
    digest, imports, exports = known
    return Source(str(digest), tuple(Import(name, tuple(names), level) for name, names, level in imports), exports)


def _read(path: str) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError, RecursionError, KeyError, TypeError):
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
            data = json.loads(file.read(_LARGEST))
        if data["version"] == _version() and isinstance(data["files"], dict):
            return {name: entry for name, entry in data["files"].items() if isinstance(entry, list) and len(entry) == 2}
    return {}


def _version() -> list[Any]:
    return [VERSION, *sys.version_info[:2]]  # another Python parses into other trees
