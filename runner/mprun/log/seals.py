"""Seals: a chain of hashes over a log's raw bytes, the same for writing and for checking a log.

A seal is a `log.sealed` event. It covers the bytes from the start of the seal before it (of the log, for the first one)
to the start of its own line: `start`, `bytes`, `lines` and `sha256` are theirs. So each seal's line is covered by the
next one. The last one, which no other covers, is covered by itself: its last key, `seal`, is the SHA-256 of all that
stands before `,"seal":` in its line (`codec.seal_lines`). `previous` is the `seal` of the seal before.
"""

from __future__ import annotations

import hashlib
from typing import Any

INTERVAL = 1.0  # seconds after which what was written is sealed
LINES = 1000  # that one seal covers at most; a run of results that came in one piece is not divided


class Chain:
    """What was written since the last seal: offset of its first byte, bytes, whole lines."""

    def __init__(self) -> None:
        self.start = 0
        self.bytes = 0
        self.lines = 0
        self.previous = ""
        self._hash = hashlib.sha256()

    @property
    def end(self) -> int:
        return self.start + self.bytes

    @property
    def has_news(self) -> bool:
        """Whether there is more than the last seal's own line."""
        return self.lines > bool(self.previous)

    def cover(self, data: bytes | memoryview, lines: int) -> None:
        """`data` was written, `lines` whole lines."""
        self._hash.update(data)
        self.bytes += len(data)
        self.lines += lines

    def fields(self) -> dict[str, Any]:
        """The fields of a seal that stands here, but for `seal`."""
        fields = {"start": self.start, "bytes": self.bytes, "lines": self.lines, "sha256": self._hash.hexdigest()}
        return {**fields, "previous": self.previous} if self.previous else fields

    def go_on(self, seal: str) -> None:
        """Begin anew with the line of the seal whose own hash is `seal`."""
        self.start, self.bytes, self.lines, self.previous = self.end, 0, 0, seal
        self._hash = hashlib.sha256()
