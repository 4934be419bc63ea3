"""The line of a seal. Its last key, `seal`, is the SHA-256 of the bytes before `,"seal":` in it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

_TAIL = len(b',"seal":"') + 64 + len(b'"}\n')  # bytes at the end of a seal's line that its own hash doesn't cover

# Quick to find, but it may also stand inside a result: `_is_seal` decides.
_MARK = b'"event":"log.sealed"'
_SEAL = re.compile(rb'\{"seq":\d+,"ts":"[^"]*","event":"log\.sealed",')


def sealed(line: bytes) -> tuple[bytes, str]:
    """Return `line`, a seal's JSON object with a newline, with its own hash as last key; and that hash, 64 hex
    digits."""
    body = line.removesuffix(b"}\n")
    seal = hashlib.sha256(body).hexdigest()
    return b'%b,"seal":"%b"}\n' % (body, seal.encode()), seal


def hash_of(line: bytes) -> str:
    """Return the value that `seal` must have in a seal's whole `line`; empty if the line does not end as a seal
    does."""
    ends_well = line[-_TAIL:].startswith(b',"seal":"') and line.endswith(b'"}\n')
    return hashlib.sha256(line[:-_TAIL]).hexdigest() if ends_well else ""


def seals_in(block: bytes) -> Iterator[tuple[int, int]]:
    """Yield the (start, end) offsets of the lines of seals in `block`."""
    at = block.find(_MARK)
    while at >= 0:
        start = block.rfind(b"\n", 0, at) + 1
        end = block.find(b"\n", at) + 1
        if not end:
            return
        if _is_seal(block[start:end]):
            yield start, end
        at = block.find(_MARK, end)


def _is_seal(line: bytes) -> bool:
    """Return whether `line` is a seal: by its beginning, even if it is damaged; with keys not known yet, by its
    event."""
    if _SEAL.match(line):
        return True
    from mprun.log.codec.event import LineError, event_of  # imported here, because a writer of logs never gets here

    try:
        return bool(event_of(line)["event"] == "log.sealed")
    except LineError:
        return False
