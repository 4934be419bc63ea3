"""One thread, one selector: descriptors, deadlines and signals, each with a callback."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import selectors
import signal
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable
from types import FrameType, TracebackType

from mprun.system import writing

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # signals that ask for an end

Callback = Callable[[], None]


class Timer:
    """A callback, due at `when` (seconds, `time.monotonic`) unless cancelled."""

    def __init__(self, when: float, callback: Callback) -> None:
        self.when = when
        self.callback: Callback | None = callback

    def cancel(self) -> None:
        self.callback = None


class Loop:
    """Waits for the next descriptor, deadline or signal, and calls its callback. Use as a context manager.

    All callbacks run in the thread that calls `run`. Another thread may call only `call_soon_from_thread`.
    """

    def __init__(self) -> None:
        writing.take_time()
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()  # breaks ties in the heap: timers themselves can't be compared
        self._soon: deque[Callback] = deque()
        self._wake_up_sent = False
        self._signals: dict[int, Callable[[int], None]] = {}
        self._signal_handlers_before: dict[int, object] = {}
        self._wakeup, self._waker = socket.socketpair()
        for end in (self._wakeup, self._waker):
            end.setblocking(False)
        self._selector.register(self._wakeup, selectors.EVENT_READ, self._woken)
        self._wakeup_fd_before: int | None = None

    def __enter__(self) -> Loop:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        # Handlers first: a signal that arrives now goes to its earlier handler, and not into a descriptor that is about
        # to close.
        for number, handler in self._signal_handlers_before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        if self._wakeup_fd_before is not None:
            signal.set_wakeup_fd(self._wakeup_fd_before)
        self._timers.clear()  # or their callbacks, with their descriptors, stay until the next garbage collection
        self._signals.clear()
        self._selector.close()
        self._wakeup.close()
        self._waker.close()

    def watch(self, fd: int, callback: Callback) -> None:
        """Call `callback` whenever `fd` is readable."""
        self._selector.register(fd, selectors.EVENT_READ, callback)

    def watch_room(self, fd: int, callback: Callback) -> None:
        """Call `callback` whenever `fd` takes more."""
        self._selector.register(fd, selectors.EVENT_WRITE, callback)

    def unwatch(self, fd: int) -> None:
        self._selector.unregister(fd)

    def call_later(self, delay: float, callback: Callback) -> Timer:
        timer = Timer(time.monotonic() + delay, callback)
        heapq.heappush(self._timers, (timer.when, next(self._order), timer))
        return timer

    def call_soon(self, callback: Callback) -> None:
        """Call `callback` in this pass or the next, in the order of the calls."""
        self._soon.append(callback)

    def call_soon_from_thread(self, callback: Callback) -> None:
        self._soon.append(callback)
        # The callback is in the queue before the byte is sent: the loop may wake up at once, find nothing, and sleep
        # again.
        if self._wake_up_sent:
            return  # one is enough; hundreds would fill the pipe and leave no room for a signal's byte
        self._wake_up_sent = True
        with contextlib.suppress(OSError):  # the loop is closed: a thread ended late
            self._waker.send(b"\0")

    def on_signals(self, numbers: Iterable[int], callback: Callable[[int], None]) -> None:
        """Call `callback(number)` from the loop when one of the signals `numbers` arrives. Replaces earlier
        handlers."""
        if self._wakeup_fd_before is None:
            # The descriptor before the handlers, which do nothing themselves: a signal that arrives in between would be
            # lost.
            self._wakeup_fd_before = signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        for number in numbers:
            before = signal.signal(number, _noted_by_wakeup_fd)
            self._signal_handlers_before.setdefault(number, before)
            self._signals[number] = callback

    def run(self, *, until: Callable[[], bool]) -> None:
        """Serve callbacks until `until()` is true, checked after each pass."""
        while not until():
            self._pass()

    def _pass(self) -> None:
        for key, _ in self._selector.select(self._timeout()):
            # An earlier callback of this pass may have closed it, and a new file may have its number by now.
            if self._selector.get_map().get(key.fd) is key:
                key.data()
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            timer = heapq.heappop(self._timers)[2]
            callback, timer.callback = timer.callback, None  # whose owner keeps the timer: a cycle otherwise
            if callback is not None:
                callback()
        # Only those that are there now: callbacks that add callbacks must not keep the loop from its descriptors.
        for _ in range(len(self._soon)):
            self._soon.popleft()()

    def _timeout(self) -> float | None:
        if self._soon:
            return 0
        while self._timers and self._timers[0][2].callback is None:
            heapq.heappop(self._timers)
        if not self._timers:
            return None
        return max(0.0, self._timers[0][0] - time.monotonic())

    def _woken(self) -> None:
        self._wake_up_sent = False
        try:
            numbers = self._wakeup.recv(4096)
        except BlockingIOError:
            return
        for number in numbers:
            if number in self._signals:
                self._signals[number](number)


def _noted_by_wakeup_fd(number: int, frame: FrameType | None) -> None:
    """Do nothing but let stalled writes give up: Python writes to the wake-up descriptor only if a handler
    exists, and the loop does the rest."""
    if number in ENDING:
        writing.hurry()
