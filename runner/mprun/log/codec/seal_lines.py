"""The line of a seal: its last key, `seal`, is the SHA-256 of all that stands before `,"seal":` in it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

_TAIL = len(b',"seal":"') + 64 + len(b'"}\n')  # bytes at the end of a seal's line that its own hash leaves out

# Quick to find; that it stands in a seal and not inside a result is looked at afterwards.
_MARK = b'"event":"log.sealed"'
_SEAL = re.compile(rb'\{"seq":\d+,"ts":"[^"]*","event":"log\.sealed",')


def sealed(line: bytes) -> tuple[bytes, str]:
    """`line`, a seal's JSON object and a newline, with its own hash as its last key; and that hash, 64 hex digits."""
    body = line.removesuffix(b"}\n")
    seal = hashlib.sha256(body).hexdigest()
    return b'%b,"seal":"%b"}\n' % (body, seal.encode()), seal


def hash_of(line: bytes) -> str:
    """What `seal` must be in a seal's whole `line`; empty where the line does not end as one does."""
    ends_well = line[-_TAIL:].startswith(b',"seal":"') and line.endswith(b'"}\n')
    return hashlib.sha256(line[:-_TAIL]).hexdigest() if ends_well else ""


def seals_in(block: bytes) -> Iterator[tuple[int, int]]:
    """Where the lines of seals begin and end in `block`."""
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
    """A seal that was damaged is still one by its beginning; one with keys that are not known yet, by its event."""
    if _SEAL.match(line):
        return True
    from mprun.log.codec.event import LineError, event_of  # a writer of logs never gets here

    try:
        return bool(event_of(line)["event"] == "log.sealed")
    except LineError:
        return False
