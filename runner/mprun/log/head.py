"""The head: a small file beside a log that says how far the log had come, so that a cut-off tail is noticed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

from mprun.errors.exceptions import LogError
from mprun.log.words import LOG_FORMAT


class HeadFile:
    """`events.head` beside `events.jsonl`: a JSON object, replaced as a whole.

    `sign` gives the signature of a log whose last seal it is given; only a finished log has one.
    """

    def __init__(self, path: str, sign: Callable[[str], str] | None = None) -> None:
        self._path = path
        self._sign = sign

    def replace(self, *, size: int, lines: int, seal: str, finished: bool) -> None:
        """Say that the log holds `size` bytes and `lines` lines up to the end of the seal `seal`. Raises OSError."""
        document = {"log_format": LOG_FORMAT, "bytes": size, "lines": lines, "seal": seal, "finished": finished}
        if finished and self._sign is not None:
            document["signature"] = self._sign(seal)
        new = self._path + ".new"
        fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with open(fd, "w", encoding="utf-8") as file:
            file.write(json.dumps(document) + "\n")
            file.flush()
            os.fsync(fd)
        os.replace(new, self._path)


def head_path(log: str) -> str:
    """Where the head of the log at `log` lies: `events.head` for `events.jsonl`."""
    return log.removesuffix(".jsonl") + ".head"


def new_head(log: str, sign: Callable[[str], str] | None = None) -> HeadFile:
    """The head of a new log at `log`. Raises LogError where there is a file of that name already."""
    path = head_path(log)
    if os.path.lexists(path):
        raise LogError(f"the log's head {path} can't be created: it exists already")
    return HeadFile(path, sign)
