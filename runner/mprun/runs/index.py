"""The index of a folder of runs: a line when a run begins, ends or is pruned, each with the hash of the previous line.

The index chains runs to one another. It shows that a run was removed, or replaced as a whole.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from mprun.log.reading.regular import open_regular
from mprun.log.words import timestamp

MAX_LINE = 4096  # bytes

Entry = dict[str, Any]


def index_path(runs_dir: str) -> str:
    """Return the path of the index of `runs_dir`."""
    return os.path.join(runs_dir, "runs", "index.jsonl")


def append(path: str, event: Literal["run.started", "run.finished", "run.pruned"], run_id: str, **fields: Any) -> None:
    """Append a line to the index at `path`; create the index if there is none. Raises OSError."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        # Several runs share the index: each reads the last line and appends under the lock, or two lines would have the
        # same `previous`. Closing the descriptor releases the lock.
        fcntl.flock(fd, fcntl.LOCK_EX)
        torn, last = _last_line(fd)
        entry = {"ts": timestamp(time.time()), "event": event, "run_id": run_id, **fields}
        if last:
            entry["previous"] = hashlib.sha256(last).hexdigest()
        line = json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        os.write(fd, b"\n" + line if torn else line)
    finally:
        os.close(fd)


@dataclass(frozen=True, slots=True)
class Index:
    """The content of an index: the last entry of each run by event, and the numbers of lines that break the chain."""

    entries: dict[str, dict[str, Entry]]
    broken: tuple[int, ...]


def read_index(path: str) -> Index:
    """Read the index at `path`; an empty one if there is none. Raises OSError if it can't be read."""
    entries: dict[str, dict[str, Entry]] = {}
    broken = []
    previous = ""
    for number, line in enumerate(_lines(path), 1):
        entry = _entry(line)  # None for a torn line and for a line that is not an entry; both are part of the chain
        if entry is not None:
            if entry.get("previous", "") != previous:
                broken.append(number)
            entries.setdefault(entry["run_id"], {})[entry["event"]] = entry
        previous = hashlib.sha256(line).hexdigest()
    return Index(entries, tuple(broken))


def _lines(path: str) -> Iterator[bytes]:
    if not os.path.lexists(path):
        return
    with open_regular(path) as file:
        while line := file.readline(MAX_LINE):
            yield line


def _entry(line: bytes) -> Entry | None:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict):
        return None
    return entry if isinstance(entry.get("event"), str) and isinstance(entry.get("run_id"), str) else None


def _last_line(fd: int) -> tuple[bool, bytes]:
    """Return whether the last line is torn, because its writer was killed; and the line with a newline at its end."""
    size = os.fstat(fd).st_size
    tail = os.pread(fd, MAX_LINE, max(0, size - MAX_LINE))
    torn = bool(tail) and not tail.endswith(b"\n")
    lines = (tail + b"\n" if torn else tail).splitlines(keepends=True)
    return torn, lines[-1] if lines else b""
