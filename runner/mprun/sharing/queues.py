"""Queue, SimpleQueue and JoinableQueue of `multiprocessing`, noted.

They have the methods of the standard ones, but a death breaks less: a child that waits for an object holds no lock. And
`put` refuses an object that can't be pickled.
"""

from __future__ import annotations

import copyreg
import io
import os
import pickle
import queue
from collections import ChainMap
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.reduction import ForkingPickler
from typing import Any

from mprun.sharing import notes
from mprun.sharing.locks import Condition, Lock
from mprun.sharing.notes import GOTS, LOOPS, start_of, wait_for
from mprun.sharing.queue_writing import FrameWriter

HEAD = 8  # the header of each object: its length in bytes
FIRST = 64  # bytes of the first read: every object with its header has at least these, and most have no more

_ENDED: Any = object()


@dataclass(slots=True)
class QueueParts:
    """The parts of one queue that all children share.

    The semaphores `items` and `room` count objects to read and objects that still fit (None: no bound). `ended` is a
    byte: no more objects will come. The others are slots for waits: for the rest of an object, for an object, for
    room, and, when a child ends, until its objects are written. `unfinished` (a semaphore) and `done` belong to a
    JoinableQueue.
    """

    reader: Any
    writer: Any
    reading: Lock
    writing: Lock
    items: Any
    room: Any
    ended: Any
    waits_for_rest: int
    waits_for_item: int
    waits_for_room: int
    waits_until_written: int
    unfinished: Any = None
    done: Any = None


class Queue:
    """A `multiprocessing.Queue`. A loop over it (`for row in rows`) ends when no process is left that could put
    anything.

    Then `get` raises EOFError instead of waiting forever.
    """

    def __init__(self, parts: QueueParts) -> None:
        self._parts = parts
        self._set_up()

    def __getstate__(self) -> QueueParts:
        return self._parts

    def __setstate__(self, parts: QueueParts) -> None:
        self._parts = parts
        self._set_up()

    def _set_up(self) -> None:
        parts = self._parts
        self._items, self._room = parts.items, parts.room
        self._fd_in = parts.reader.fileno()
        self._start = start_of(parts.waits_for_item)
        self._out = FrameWriter(
            parts.writer.fileno(), parts.writing, parts.items, self._start, start_of(parts.waits_until_written)
        )

    # -- putting

    def put(self, obj: Any, block: bool = True, timeout: float | None = None) -> None:
        """Put `obj`; wait for room if `block`. Raises queue.Full, and whatever pickling raises."""
        data = pickled(obj)
        if self._room is not None and not self._room.acquire(False):
            self._wait_for_room(block, timeout)
        self._about_to_put()
        self._out.send((len(data).to_bytes(HEAD, "little") + data).ljust(FIRST, b"\0"))

    def put_nowait(self, obj: Any) -> None:
        self.put(obj, False)

    def _about_to_put(self) -> None:
        """Note that this child is about to count an object."""

    def _wait_for_room(self, block: bool, timeout: float | None) -> None:
        start = start_of(self._parts.waits_for_room)
        if not block:
            raise queue.Full
        if timeout is None:
            wait_for(start, self._room.acquire)
        elif not self._room.acquire(True, timeout):
            raise queue.Full

    # -- getting

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """The next object; wait for one if `block`. Raises queue.Empty, and EOFError where none can come any more."""
        obj = self._take(block, timeout)
        if obj is _ENDED:
            raise EOFError("this queue has ended: nobody is left who could put something into it")
        return obj

    def get_nowait(self) -> Any:
        return self.get(False)

    def __iter__(self) -> Iterator[Any]:
        """The objects, until no process is left that could put one."""
        notes.words[self._start + LOOPS] += 1
        try:
            while (obj := self._take(True, None)) is not _ENDED:
                yield obj
        finally:
            notes.words[self._start + LOOPS] -= 1

    def _take(self, block: bool, timeout: float | None) -> Any:
        if not self._items.acquire(False):
            self._wait_for_item(block, timeout)
        data = self._read_next()
        if data is None:
            return _ENDED
        notes.words[self._start + GOTS] += 1
        if self._room is not None:
            self._room.release()
        return pickle.loads(data)

    def _read_next(self) -> bytes | None:
        reading = self._parts.reading
        if reading.acquire_briefly():
            try:
                return self._read_object()
            finally:
                reading.release_briefly()
        with reading:
            return self._read_object()

    def _read_object(self) -> bytes | None:
        """The next object's bytes; None at the end of the queue."""
        # The flag alone isn't the end: objects that were written before it are read first.
        if self._parts.ended.value and not self._parts.reader.poll():
            self._items.release()  # wakes the next waiter
            return None
        first = self._read(FIRST)
        end = HEAD + int.from_bytes(first[:HEAD], "little")
        return first[HEAD:end] if end <= FIRST else first[HEAD:] + self._read(end - FIRST)

    def _wait_for_item(self, block: bool, timeout: float | None) -> None:
        if not block:
            raise queue.Empty
        if timeout is None:
            wait_for(self._start, self._items.acquire)
        elif not self._items.acquire(True, timeout):
            raise queue.Empty

    def _read(self, size: int) -> bytes:
        data = os.read(self._fd_in, size)
        if len(data) == size:
            return data
        return wait_for(start_of(self._parts.waits_for_rest), lambda: data + self._read_rest(size - len(data)))

    def _read_rest(self, size: int) -> bytes:
        rest = bytearray()
        while len(rest) < size:
            rest += os.read(self._fd_in, size - len(rest))
        return bytes(rest)

    # -- asking

    def qsize(self) -> int:
        return self._items.get_value()  # type: ignore[no-any-return]

    def empty(self) -> bool:
        return self.qsize() == 0

    def full(self) -> bool:
        return self._room is not None and self._room.get_value() == 0

    def close(self) -> None:
        """Do nothing: the run closes the queue."""

    def join_thread(self) -> None:
        self._out.flush()

    def cancel_join_thread(self) -> None:
        """Let this process end without waiting until its objects are written."""
        self._out.forget()

    # -- for the parent

    def end(self) -> None:
        """Wake those who wait for an object: none will come."""
        # The flag first: the consumer that the release wakes must see it.
        self._parts.ended.value = 1
        self._items.release()

    def go_on(self) -> None:
        """Reopen the queue: all for whom it ended are gone, and new users come."""
        self._parts.ended.value = 0
        self._items.acquire(False)

    def close_pipe(self) -> None:
        """Close the pipe: nobody uses the queue any more."""
        self._parts.reader.close()
        self._parts.writer.close()


class SimpleQueue(Queue):
    """A `multiprocessing.SimpleQueue`: unbounded."""


class JoinableQueue(Queue):
    """A `multiprocessing.JoinableQueue`."""

    def _about_to_put(self) -> None:
        self._parts.unfinished.release()

    def task_done(self) -> None:
        """Count one object as done. Raises ValueError where none is outstanding."""
        done: Condition = self._parts.done
        with done:
            if not self._parts.unfinished.acquire(False):
                raise ValueError("task_done() called too many times")
            if self._parts.unfinished.get_value() == 0:
                done.notify_all()

    def join(self) -> None:
        """Wait until `task_done` was called for each object that was put."""
        done: Condition = self._parts.done
        with done:
            done.wait_for(lambda: self._parts.unfinished.get_value() == 0)


_PLAIN = frozenset({int, float, bool, str, bytes, type(None)})
_TABLE: Any = ChainMap(ForkingPickler._extra_reducers, copyreg.dispatch_table)  # type: ignore[attr-defined]


class _Pickler(pickle.Pickler):
    dispatch_table = _TABLE


def pickled(obj: Any) -> bytes:
    """The pickle of an object. Raises whatever pickling raises."""
    if type(obj) in _PLAIN or (type(obj) is tuple and _PLAIN.issuperset(map(type, obj))):
        return pickle.dumps(obj, 5)
    buffer = io.BytesIO()
    _Pickler(buffer, 5).dump(obj)
    return buffer.getvalue()
