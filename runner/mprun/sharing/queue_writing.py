"""How objects get into a queue's pipe: a short one by one system call or not at all.

Whoever puts it writes it, where there is room; a thread writes what finds none, as in the standard library.
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

ATOMIC = select.PIPE_BUF  # bytes that a pipe takes whole or not at all
FLUSH_INTERVAL = 0.5  # seconds between two looks whether this process's own thread still lives

_to_flush: list[FrameWriter] = []  # in this process: have objects that a thread is to write
_forks = 0  # how often this process or one before it was forked


def _count_fork() -> None:
    global _forks
    _forks += 1


os.register_at_fork(after_in_child=_count_fork)


class FrameWriter:
    """Writes into `fd`, which doesn't block, under `lock`. `items` is a semaphore that counts objects to read.

    `puts` and `waits` are where the words of two slots begin: in one it counts objects, in the other it waits to end.
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
        if self._forks != _forks:  # forked by the user's code: its threads and what they owed stayed behind
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
        """`count` more objects can be read, or will be while they are written."""
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
        """Write all of `frames`, or nothing where they are short and there is no room."""
        data = b"".join(frames)
        left = memoryview(data)
        while left:
            try:
                left = left[os.write(self._fd, left) :]
            except BlockingIOError:
                if len(data) <= ATOMIC:
                    return False
                room.poll()
            else:  # what is longer than a pipe must be read while it is written
                self.tell_written(len(frames))
                frames = []
        return True

    def flush(self) -> None:
        """Wait until all that was put is written."""
        wait_for(self._waits, self._wait_until_written)

    def _wait_until_written(self) -> None:
        with self._changed:
            while self._pending and self._forks == _forks:
                self._changed.wait(FLUSH_INTERVAL)

    def forget(self) -> None:
        """Let this process end without waiting until all is written."""
        with contextlib.suppress(ValueError):
            _to_flush.remove(self)


def _first(pending: deque[bytes]) -> list[bytes]:
    """As many frames as a pipe takes at once; at least one."""
    frames = [pending[0]]
    size = len(pending[0])
    for frame in islice(pending, 1, None):
        size += len(frame)
        if size > ATOMIC:
            break
        frames.append(frame)
    return frames


def flush_all() -> None:
    """Wait until all that this process has put into queues is written; before it ends."""
    while _to_flush:
        _to_flush.pop().flush()
