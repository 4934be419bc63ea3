"""The messages from a child to its parent: frames of a length, a kind and a body, over the child's private pipe.

A frame is whole or it isn't there: what a dying child leaves half-written is never taken for a message.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import NamedTuple

_HEAD = struct.Struct("<IB")  # length of the body, kind
_RESULT = struct.Struct("<qB")  # task, outcome
_OUTPUT = struct.Struct("<qB")  # task (-1: none), stream

RESULT = 1  # how one call ended: task, code of the outcome, and the event's JSON without its `seq`
GOODBYE = 2  # the child's last word: JSON of what it used
UNREADY = 3  # the child can't begin (its initializer failed): JSON of the exception's fields
OUTPUT = 4  # what Python code printed: the task that did, the stream, the bytes

STREAMS = ("stdout", "stderr")

MAX_BODY = 1 << 30


class FrameError(Exception):
    """The bytes are no frame: the child, or what runs in it, wrote into mprun's pipe."""


class Result(NamedTuple):
    """The body of a RESULT frame. `line` is an event's JSON object without the leading `{"seq":N,`."""

    task: int
    outcome: int
    line: bytes


def write_frame(fd: int, kind: int, body: bytes) -> None:
    """Write one frame to the blocking descriptor `fd`, whole."""
    left = memoryview(_HEAD.pack(len(body), kind) + body)
    while left:
        left = left[os.write(fd, left) :]


def result_body(task: int, outcome: int, line: bytes) -> bytes:
    return _RESULT.pack(task, outcome) + line


def read_result(body: bytes) -> Result:
    task, outcome = _RESULT.unpack_from(body)
    return Result(task, outcome, body[_RESULT.size :])


def output_body(task: int | None, stream: int, data: bytes) -> bytes:
    return _OUTPUT.pack(-1 if task is None else task, stream) + data


def read_output(body: bytes) -> tuple[int | None, int, bytes]:
    """(task, index in STREAMS, bytes) of an OUTPUT frame."""
    task, stream = _OUTPUT.unpack_from(body)
    return None if task < 0 else task, stream, body[_OUTPUT.size :]


class Splitter:
    """Cuts frames from bytes that arrive in any pieces."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Take `data` in and yield each frame (kind, body) that is now whole. Raises FrameError."""
        self._buffer += data
        start = 0
        while len(self._buffer) - start >= _HEAD.size:
            length, kind = _HEAD.unpack_from(self._buffer, start)
            if length > MAX_BODY or kind not in (RESULT, GOODBYE, UNREADY, OUTPUT):
                raise FrameError(f"a frame of kind {kind} and {length} bytes")
            end = start + _HEAD.size + length
            if len(self._buffer) < end:
                break
            yield kind, bytes(self._buffer[start + _HEAD.size : end])
            start = end
        del self._buffer[:start]
