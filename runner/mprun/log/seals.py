"""Seals: a chain of SHA-256 hashes over the raw bytes of a log, for writing and for verifying it.

A seal is a `log.sealed` event. It covers the bytes from the start of the previous seal's line (for the first seal: of
the log) to the start of its own line; `start`, `bytes`, `lines` and `sha256` describe them. The next seal thus covers
this seal's line. No other seal covers the last one, so each seal also covers itself: its last key, `seal`, is the
SHA-256 of its line up to `,"seal":` (see `codec.seal_lines`). `previous` is the `seal` of the previous seal.
"""

from __future__ import annotations

import hashlib
from typing import Any

INTERVAL = 1.0  # seconds from a write to the seal that covers it
LINES = 1000  # the most that one seal covers, except that results that arrive in one piece are never split


class Chain:
    """The bytes since the last seal: the offset of the first one, their number, and the number of whole lines."""

    def __init__(self) -> None:
        self.start = 0
        self.bytes = 0
        self.lines = 0
        self.previous = ""
        self._hash = hashlib.sha256()

    @property
    def end(self) -> int:
        """The offset behind the last byte so far."""
        return self.start + self.bytes

    @property
    def has_news(self) -> bool:
        """Whether more was written than the last seal's own line.

        Without this test, each seal would be a reason for the next one, and an idle run would seal forever.
        """
        return self.lines > bool(self.previous)

    def cover(self, data: bytes | memoryview, lines: int) -> None:
        """Add `data`, which holds `lines` whole lines."""
        self._hash.update(data)
        self.bytes += len(data)
        self.lines += lines

    def fields(self) -> dict[str, Any]:
        """Return the fields of a seal that is written now, without `seal`."""
        fields = {"start": self.start, "bytes": self.bytes, "lines": self.lines, "sha256": self._hash.hexdigest()}
        return {**fields, "previous": self.previous} if self.previous else fields

    def go_on(self, seal: str) -> None:
        """Start over with the line of the seal whose own hash is `seal`. The caller covers that line next."""
        self.start, self.bytes, self.lines, self.previous = self.end, 0, 0, seal
        self._hash = hashlib.sha256()
