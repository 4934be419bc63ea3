"""Cuts a child's output into lines, and masks secrets, also where a secret arrives in two pieces."""

from __future__ import annotations

from collections.abc import Callable

from mprun.log.masking import Mask

MAX_OUTPUT_LINE = 8 * 1024  # bytes; passes on a longer line in pieces, each of which fits a line of the log


class OutputLines:
    """Passes each line on without its newline, with the task that printed it.

    Passes on an unfinished line when another task prints, when the child sends another frame, at the end (empty
    `data`), or when the line is too long.
    """

    def __init__(self, pass_on: Callable[[int | None, bytes], None], mask: Mask) -> None:
        self._pass_on = pass_on
        self._mask = mask
        self._rest = b""
        self._task: int | None = None

    def take(self, task: int | None, data: bytes) -> None:
        if task != self._task or not data:
            self.finish()
        self._task = task
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._in_pieces(self._mask.output(line))
        if len(self._rest) > MAX_OUTPUT_LINE + self._mask.longest:
            self._pass_on_beginning()

    def finish(self) -> None:
        """Pass on the unfinished line."""
        if self._rest:
            self._in_pieces(self._mask.output(self._rest))
            self._rest = b""

    def _pass_on_beginning(self) -> None:
        """Pass on the unfinished line, except for an end that may be the beginning of a secret."""
        masked = self._mask.output(self._rest)
        end = len(masked) - max(self._mask.longest - 1, 0)
        self._in_pieces(masked[:end])
        self._rest = masked[end:]

    def _in_pieces(self, line: bytes) -> None:
        for start in range(0, len(line) or 1, MAX_OUTPUT_LINE):
            self._pass_on(self._task, line[start : start + MAX_OUTPUT_LINE])
