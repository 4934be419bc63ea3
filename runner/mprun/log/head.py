"""The head: a small file beside a log that records how far the log had come. It shows that a log's end was cut off."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

from mprun.errors.exceptions import LogError
from mprun.log.words import LOG_FORMAT


class HeadFile:
    """The file `events.head` beside `events.jsonl`: one JSON object, always replaced as a whole.

    `sign` maps the last seal of a log to the log's signature. Only a finished log is signed.
    """

    def __init__(self, path: str, sign: Callable[[str], str] | None = None) -> None:
        self._path = path
        self._sign = sign

    def replace(self, *, size: int, lines: int, seal: str, finished: bool) -> None:
        """Record that the log holds `size` bytes and `lines` lines, up to the end of the line of `seal`.

        Raises OSError.
        """
        document = {"log_format": LOG_FORMAT, "bytes": size, "lines": lines, "seal": seal, "finished": finished}
        if finished and self._sign is not None:
            document["signature"] = self._sign(seal)
        # A reader sees the old head or the new one, never half of one. The data is on disk before the name changes: a
        # power cut can't leave an empty head.
        new = self._path + ".new"
        fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with open(fd, "w", encoding="utf-8") as file:
            file.write(json.dumps(document) + "\n")
            file.flush()
            os.fsync(fd)
        os.replace(new, self._path)


def head_path(log: str) -> str:
    """Return the path of the head of the log at `log`: `events.head` for `events.jsonl`."""
    return log.removesuffix(".jsonl") + ".head"


def new_head(log: str, sign: Callable[[str], str] | None = None) -> HeadFile:
    """Return the head of a new log at `log`. Raises LogError if a file of that name exists."""
    path = head_path(log)
    if os.path.lexists(path):
        raise LogError(f"the log's head {path} can't be created: it exists already")
    return HeadFile(path, sign)
