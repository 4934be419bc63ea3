"""Checks the bytes of a log against its chain of seals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from mprun.log import seals
from mprun.log.codec.event import Event, LineError, event_of
from mprun.log.codec.seal_lines import hash_of, seals_in
from mprun.log.reading.lines import blocks
from mprun.log.verifying.findings import Finding, Findings


@dataclass(frozen=True, slots=True)
class ChainReport:
    """The result of the check.

    `lines` and `bytes` count whole lines, `torn` the bytes after the last of them. Everything up to and including line
    `good_lines` (`good_bytes`) is as it was sealed. `seal` is the hash of the last seal, empty if there is none.
    `watched` is the hash of the seal whose line ends at the offset that the caller watches, empty if there is none.
    """

    findings: tuple[Finding, ...]
    lines: int
    bytes: int
    torn: int
    good_lines: int
    good_bytes: int
    seal: str
    watched: str


def check_chain(file: BinaryIO, watch: int = -1) -> ChainReport:
    """Read the log `file` to its end and check it. `watch` is the offset at which the line of a seal should end."""
    check = _ChainCheck(watch)
    for block in blocks(file):
        check.take(block)
    return check.report(file.tell())


class _ChainCheck:
    def __init__(self, watch: int) -> None:
        self._watch = watch
        self._watched = ""
        self._chain = seals.Chain()
        self._findings = Findings()
        self._first_line = 1  # the first line that the next seal covers
        self._shift = 0  # bytes by which later offsets are off, because some were inserted or removed
        self._good = (0, 0)

    def take(self, block: bytes) -> None:
        view = memoryview(block)
        at = 0
        for start, end in seals_in(block):
            self._chain.cover(view[at:start], block.count(b"\n", at, start))
            self._seal(block[start:end])
            at = start
        self._chain.cover(view[at:], block.count(b"\n", at))

    def report(self, size: int) -> ChainReport:
        lines = self._first_line - 1 + self._chain.lines
        end, torn = self._chain.end, size - self._chain.end
        found = tuple(self._findings.found)
        return ChainReport(found, lines, end, torn, *self._good, self._chain.previous, self._watched)

    def _seal(self, line: bytes) -> None:
        """Check the seal in `line` against the bytes since the last one, and start over with it."""
        number = self._first_line + self._chain.lines
        start, end = self._chain.end, self._chain.end + len(line)
        try:
            seal = event_of(line)
            intact = hash_of(line) == seal.get("seal")
        except LineError:
            seal, intact = {}, False
        if not intact:
            self._findings.add(Finding("tampered", "this seal has been changed", number, number, start, end))
        elif not self._agrees(seal):
            what = "not what was sealed" if self._chain.lines else "the seal of lines that are not there"
            last = max(number - 1, self._first_line)
            self._findings.add(Finding("tampered", what, self._first_line, last, self._chain.start, start))
        elif not self._findings.found:
            self._good = (number, end)
        self._go_on(seal if intact else {}, number, end)

    def _agrees(self, seal: Event) -> bool:
        expected = self._chain.fields()
        expected["start"] -= self._shift
        return all(seal.get(key) == expected.get(key) for key in {*expected, "previous"})

    def _go_on(self, seal: Event, number: int, end: int) -> None:
        """Check the following seals against this one as it is, so that each damage is reported once."""
        sealed_start, sealed_bytes = seal.get("start"), seal.get("bytes")
        if isinstance(sealed_start, int) and isinstance(sealed_bytes, int):
            self._shift = self._chain.end - sealed_start - sealed_bytes
        self._chain.go_on(str(seal.get("seal", "")))
        self._first_line = number
        if end == self._watch:
            self._watched = self._chain.previous
