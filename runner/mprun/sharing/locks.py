"""Lock, RLock, Semaphore, BoundedSemaphore, Condition, Event and Barrier of `multiprocessing`, noted.

They behave as the standard ones. Between taking a lock and noting it, a child counts as about to take it: the parent
must not see it as free.
"""

from __future__ import annotations

import struct
from multiprocessing import heap, synchronize
from typing import Any

from mprun.sharing import notes
from mprun.sharing.notes import HOLDS, TIMES, WANTS, start_of, wait_for


class Lock:
    """A lock or semaphore of `multiprocessing`, with its methods. Notes its uses in `slot`."""

    def __init__(self, standard: Any, slot: int) -> None:
        self._standard = standard
        self._start = start_of(slot)
        self._semlock = standard._semlock  # the standard library's Condition uses it

    def __getstate__(self) -> tuple[Any, ...]:
        return self._standard, self._start

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._standard, self._start = state
        self._semlock = self._standard._semlock

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:
        words, start = notes.words, self._start
        words[start + WANTS] = 1
        try:
            # WANTS is set before the lock is taken, and cleared after HOLDS is set. Whenever this child dies, one of
            # the two is set, so the parent never regards the lock as free.
            taken = self._standard.acquire(False) or (block and self._wait(timeout))
            if taken:
                words[start + HOLDS] += 1
                words[start + TIMES] += 1
        finally:
            words[start + WANTS] = 0
        return bool(taken)

    def release(self) -> None:
        words, start = notes.words, self._start
        words[start + WANTS] = 1
        # WANTS covers the release too: until the lock is really free, one of the two words must say so.
        words[start + HOLDS] -= 1
        try:
            self._standard.release()
        except BaseException:
            words[start + HOLDS] += 1
            raise
        finally:
            words[start + WANTS] = 0

    def acquire_briefly(self) -> bool:
        """Take it if it is free, for a few system calls. Meanwhile it counts as about to be taken, which is the
        cheapest note. For one thread at a time; `release_briefly` gives it back.
        """
        notes.words[self._start + WANTS] = 1
        if self._semlock.acquire(False):
            return True
        notes.words[self._start + WANTS] = 0
        return False

    def release_briefly(self) -> None:
        self._semlock.release()
        notes.words[self._start + WANTS] = 0

    def _wait(self, timeout: float | None) -> Any:
        if timeout is not None:
            return self._standard.acquire(True, timeout)
        return wait_for(self._start, self._standard.acquire)

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *error: object) -> None:
        self.release()

    def __repr__(self) -> str:
        return repr(self._standard)


class Semaphore(Lock):
    def get_value(self) -> int:
        return self._standard.get_value()  # type: ignore[no-any-return]


class Condition(synchronize.Condition):
    """`multiprocessing.Condition` over a noted lock. `waits` is the slot of `wait`, `notifies` that of `notify`."""

    def __init__(self, lock: Lock, waits: int, notifies: int, context: Any) -> None:
        super().__init__(lock, ctx=context)  # type: ignore[arg-type] # it is asked for no more than it has
        self._starts = start_of(waits), start_of(notifies)

    def __getstate__(self) -> Any:
        return super().__getstate__(), self._starts

    def __setstate__(self, state: Any) -> None:
        standard, self._starts = state
        super().__setstate__(standard)  # type: ignore[misc]

    def wait(self, timeout: float | None = None) -> bool:
        if timeout is not None:
            return super().wait(timeout)
        return wait_for(self._starts[0], super().wait)

    def notify(self, n: int = 1) -> None:
        """Note a wait: `notify` waits for those that it wakes, and one that was killed in its sleep never wakes."""
        wait_for(self._starts[1], lambda: super(Condition, self).notify(n))


class Event(synchronize.Event):
    """`multiprocessing.Event` over a noted Condition."""

    def __init__(self, condition: Condition, flag: Any) -> None:
        self._cond = condition
        self._flag = flag


class Barrier(synchronize.Barrier):
    """`multiprocessing.Barrier` over a noted Condition."""

    def __init__(self, parties: int, condition: Condition) -> None:
        words = heap.BufferWrapper(2 * struct.calcsize("i"))
        self.__setstate__((parties, None, None, condition, words))  # type: ignore[attr-defined]
        self._state = self._count = 0
