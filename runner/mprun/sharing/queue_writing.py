"""Writes objects into a queue's pipe. One system call writes a short object, whole or not at all.

The caller of `put` writes, where there is room. A thread writes what finds no room, as in the standard library.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
from collections import deque
from itertools import islice
from typing import Any

from mprun.sharing import notes
from mprun.sharing.locks import Lock
from mprun.sharing.notes import PUTS, wait_for

ATOMIC = select.PIPE_BUF  # bytes that a pipe takes atomically
FLUSH_INTERVAL = 0.5  # seconds between two checks whether this process's writer thread still lives

_to_flush: list[FrameWriter] = []  # in this process: writers with objects left for the thread
_forks = 0  # how often this process or an ancestor was forked


def _count_fork() -> None:
    global _forks
    _forks += 1


os.register_at_fork(after_in_child=_count_fork)


class FrameWriter:
    """Writes into the non-blocking `fd` under `lock`. The semaphore `items` counts the objects to read.

    `puts` and `waits` are the first words of two slots: it counts objects in one, and notes its wait at the end in the
    other.
    """

    def __init__(self, fd: int, lock: Lock, items: Any, puts: int, waits: int) -> None:
        self._fd = fd
        self._lock = lock
        self._items = items
        self._puts = puts
        self._waits = waits
        self._set_up()

    def _set_up(self) -> None:
        self._pending: deque[bytes] = deque()
        self._own = threading.Lock()
        self._changed = threading.Condition(self._own)
        self._writer: threading.Thread | None = None
        self._forks = _forks

    def send(self, frame: bytes) -> None:
        if self._forks != _forks:  # the user's code forked: threads and unwritten objects stayed in the parent
            self._set_up()
        with self._own:
            if not self._pending and self._write_at_once(frame):
                return
            self._pending.append(frame)
            if self._writer is None:
                self._start_writer()
            self._changed.notify()

    def _write_at_once(self, frame: bytes) -> bool:
        if len(frame) > ATOMIC or not self._lock.acquire_briefly():
            return False
        try:
            os.write(self._fd, frame)
        except BlockingIOError:
            return False
        finally:
            self._lock.release_briefly()
        self.tell_written(1)
        return True

    def tell_written(self, count: int) -> None:
        """`count` more objects can be read, or will be once written."""
        # Counted before consumers can get them: the parent must never see more objects got than put.
        notes.words[self._puts + PUTS] += count
        for _ in range(count):
            self._items.release()

    def _start_writer(self) -> None:
        self._writer = threading.Thread(target=self._write_pending, daemon=True)
        notes.own_threads.add(self._writer)
        _to_flush.append(self)
        self._writer.start()

    def _write_pending(self) -> None:
        room = select.poll()
        room.register(self._fd, select.POLLOUT)
        while True:
            with self._changed:
                while not self._pending:
                    self._changed.wait()
                frames = _first(self._pending)
            room.poll()
            with self._lock:
                written = self._write(frames, room)
            if written:
                with self._changed:
                    for _ in frames:
                        self._pending.popleft()
                    self._changed.notify_all()

    def _write(self, frames: list[bytes], room: select.poll) -> bool:
        """Write all of `frames`; or nothing, where they are short and there is no room."""
        data = b"".join(frames)
        left = memoryview(data)
        while left:
            try:
                left = left[os.write(self._fd, left) :]
            except BlockingIOError:
                if len(data) <= ATOMIC:
                    return False
                room.poll()
            else:  # a frame longer than the pipe must be read while it is written
                self.tell_written(len(frames))
                frames = []
        return True

    def flush(self) -> None:
        """Wait until every object is written."""
        wait_for(self._waits, self._wait_until_written)

    def _wait_until_written(self) -> None:
        with self._changed:
            while self._pending and self._forks == _forks:
                self._changed.wait(FLUSH_INTERVAL)

    def forget(self) -> None:
        """Let this process end without waiting for that."""
        with contextlib.suppress(ValueError):
            _to_flush.remove(self)


def _first(pending: deque[bytes]) -> list[bytes]:
    """As many frames as a pipe takes atomically; at least one."""
    frames = [pending[0]]
    size = len(pending[0])
    for frame in islice(pending, 1, None):
        size += len(frame)
        if size > ATOMIC:
            break
        frames.append(frame)
    return frames


def flush_all() -> None:
    """Before this process ends, wait until every object that it put into queues is written."""
    while _to_flush:
        _to_flush.pop().flush()
