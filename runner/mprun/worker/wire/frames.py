"""The messages between a child and its parent, over the child's private pipes.

A child writes frames: a mark, a length, a kind and a body. A parent writes batches of tasks to a pool's worker. The
parent acts only on whole frames: it ignores what a dying child leaves half-written.
"""

from __future__ import annotations

import json
import os
import pickle
import struct
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from mprun.log.words import MAX_LINE, OUTCOMES, ROOM_FOR_SEQ

_HEAD = struct.Struct("<IIB")  # the mark, length of the body, kind
_MARK = 0xB5A16E0F  # distinguishes a frame from anything else in the pipe
_RESULT = struct.Struct("<qB")  # task, outcome
_OUTPUT = struct.Struct("<qB")  # task (-1: none), stream
_RUN = struct.Struct("<qq")  # first task, ns
_AGAIN = struct.Struct("<qBd")  # task, outcome, seconds
_COUNTED = struct.Struct("<qqq")
_LENGTH = struct.Struct("<Q")

RESULT = 1  # how one call ended: task, code of the outcome, the event's JSON without its `seq`
GOODBYE = 2  # the child ends: JSON of its resource usage
UNREADY = 3  # the child can't start (its initializer failed): JSON of the exception's fields
OUTPUT = 4  # what Python code printed: the task, the stream, the bytes

RUN = 5  # tasks in a row that returned: the first's index, the time they took, their lines
DROPPED = 6  # the worker was asked to stop: it has not started its tasks without a result

RETRY = 7  # a call failed and will be retried: task, code of the outcome, delay, the event's line
COUNTED = 8  # tasks in a row that returned, where they have no lines: the first's index, the time, how many

# The values of tasks in a row, if results are stored. This frame comes before the one that reports the tasks.
VALUES = 9
ITEM = 10  # what a generator yielded, pickled
FAILED = 11  # the child can't do its work: JSON with the reason
SAVED = 12  # a step's results are in their file: JSON with its size and digest
FINAL = 13  # how the pool's finalizer ended: as RESULT, with the worker's number in place of a task

_KINDS = (RESULT, GOODBYE, UNREADY, OUTPUT, RUN, DROPPED, RETRY, COUNTED, VALUES, ITEM, FAILED, SAVED, FINAL)

STREAMS = ("stdout", "stderr")

MAX_DELAY = 1e9  # seconds
MAX_BODY = 1 << 30  # bytes


class FrameError(Exception):
    """The bytes are not a frame: the child's code wrote into mprun's pipe."""


class Result(NamedTuple):
    """The body of a RESULT frame. `line` is an event's JSON object without the leading `{"seq":N,`."""

    task: int
    outcome: int
    line: bytes


def write_frame(fd: int, kind: int, *parts: bytes | memoryview) -> None:
    """Write one whole frame to the blocking descriptor `fd`. Its body is all `parts` in order."""
    head = _HEAD.pack(_MARK, sum(map(len, parts)), kind)
    left = [memoryview(part) for part in (head, *parts)]
    while left:
        # No copy into one buffer: `parts` may be views of shared memory. A signal may interrupt the write in the
        # middle.
        written = os.writev(fd, left)
        while left and written >= len(left[0]):
            written -= len(left.pop(0))
        if left:
            left[0] = left[0][written:]


def result_body(task: int, outcome: int, line: bytes) -> bytes:
    return _RESULT.pack(task, outcome) + line


def read_result(body: bytes) -> Result:
    """Return the content of a RESULT frame. Raises FrameError unless it is one line of the log, within its bound."""
    if len(body) < _RESULT.size:
        raise FrameError("a result that is too short")
    task, outcome = _RESULT.unpack_from(body)
    line = body[_RESULT.size :]
    if task < 0 or outcome >= len(OUTCOMES) or not _is_a_line(line):
        raise FrameError("a result that is none")
    return Result(task, outcome, line)


def _is_a_line(line: bytes) -> bool:
    """Return whether it is one line that fits into the log.

    The parent writes it to the log unparsed, so a second newline would forge a line.
    """
    return len(line) <= MAX_LINE - ROOM_FOR_SEQ and line.find(b"\n") == len(line) - 1


def read_fields(body: bytes) -> dict[str, Any]:
    """Return the JSON object of a GOODBYE, UNREADY, FAILED or SAVED frame. Raises FrameError."""
    try:
        fields = json.loads(body)
    except ValueError as error:
        raise FrameError("fields that are not JSON") from error
    if not isinstance(fields, dict):
        raise FrameError("fields that are not an object")
    return fields


def retry_body(task: int, outcome: int, delay: float, line: bytes) -> bytes:
    return _AGAIN.pack(task, outcome, delay) + line


def read_retry(body: bytes) -> tuple[int, float, bytes]:
    """Return (task, seconds until the next attempt, the event's line) of a RETRY frame. Raises FrameError."""
    if len(body) < _AGAIN.size:
        raise FrameError("a retry that is too short")
    task, _, delay = _AGAIN.unpack_from(body)
    line = body[_AGAIN.size :]
    if task < 0 or not 0 <= delay < MAX_DELAY or not _is_a_line(line):
        raise FrameError("a retry that is none")
    return task, delay, line


def output_body(task: int | None, stream: int, data: bytes) -> bytes:
    return _OUTPUT.pack(-1 if task is None else task, stream) + data


def read_output(body: bytes) -> tuple[int | None, int, bytes]:
    """Return (task, index in STREAMS, bytes) of an OUTPUT frame. Raises FrameError."""
    if len(body) < _OUTPUT.size:
        raise FrameError("output that is too short")
    task, stream = _OUTPUT.unpack_from(body)
    if stream >= len(STREAMS):
        raise FrameError(f"output of stream {stream}")
    return None if task < 0 else task, stream, body[_OUTPUT.size :]


def run_head(first: int, took: int) -> bytes:
    """Return the body of a RUN frame up to its lines. `took` is in ns."""
    return _RUN.pack(first, took)


def read_run(body: bytes) -> tuple[int, int, list[bytes]]:
    """Return (index of the first task, duration in ns, lines without newlines) of a RUN frame. Raises FrameError."""
    if len(body) <= _RUN.size or body[-1:] != b"\n":
        raise FrameError("a run that is none")
    first, took = _RUN.unpack_from(body)
    lines = body[_RUN.size :].split(b"\n")
    lines.pop()
    if first < 0 or took < 0 or max(map(len, lines)) > MAX_LINE - ROOM_FOR_SEQ:
        raise FrameError("a run of lines that are none of the log's")
    return first, took, lines


def counted_body(first: int, took: int, count: int) -> bytes:
    return _COUNTED.pack(first, took, count)


def read_counted(body: bytes) -> tuple[int, int, int]:
    """Return (index of the first task, duration in ns, number of tasks) of a COUNTED frame. Raises FrameError."""
    if len(body) != _COUNTED.size:
        raise FrameError("a count that is none")
    first, took, count = _COUNTED.unpack(body)
    if first < 0 or took < 0 or count < 1:
        raise FrameError("a count that is none")
    return first, took, count


def batch_frame(first: int, attempt: int, sent_at: int, items: Sequence[Any]) -> bytes:
    """Return the bytes of a batch for a worker: tasks from `first` on, one for each of `items`.

    `sent_at` is in ns (CLOCK_MONOTONIC). Raises whatever pickling an item raises.
    """
    body = pickle.dumps((first, attempt, sent_at, items), pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(body)) + body


def read_batches(fd: int) -> Iterator[tuple[int, int, int, Sequence[Any]]]:
    """Yield the batches that arrive at the blocking descriptor `fd`, until its other end is closed."""
    while True:
        length = _read_exactly(fd, _LENGTH.size)
        if length is None:
            return
        body = _read_exactly(fd, _LENGTH.unpack(length)[0])
        if body is None:
            return
        yield pickle.loads(body)


def _read_exactly(fd: int, count: int) -> bytearray | None:
    data = bytearray(count)
    left = memoryview(data)
    while left:
        got = os.readv(fd, [left])
        if not got:
            return None
        left = left[got:]
    return data


class Splitter:
    """Splits bytes that arrive in any pieces into frames."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Take `data` and yield each frame (kind, body) that is now complete. Raises FrameError."""
        if self._rest:
            data = self._rest + data
        start = 0
        while len(data) - start >= _HEAD.size:
            mark, length, kind = _HEAD.unpack_from(data, start)
            if mark != _MARK or length > MAX_BODY or kind not in _KINDS:
                raise FrameError(f"a frame of kind {kind} and {length} bytes")
            end = start + _HEAD.size + length
            if len(data) < end:
                break
            yield kind, data[start + _HEAD.size : end]
            start = end
        self._rest = data[start:]
