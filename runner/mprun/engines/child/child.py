"""The parent's side of one child: reads its pipes, notices its end by itself, and leaves nothing of it behind."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from mprun.engines.child.oom import kernel_kills
from mprun.engines.child.output_lines import OutputLines
from mprun.engines.child.suspension import SuspensionWatch
from mprun.log.masking import Mask
from mprun.log.words import Outcome
from mprun.system.loop import Loop, Timer
from mprun.worker.boot.process import ChildProcess, Ends
from mprun.worker.wire.frames import OUTPUT, STREAMS, FrameError, Splitter, read_output

READ_SIZE = 1024 * 1024
MAX_PIPE_SIZE = 1024 * 1024  # bytes; what an ordinary user can make of it
CLOSED_PIPE_TIME = 0.5  # seconds that a child may live on with its pipe for frames closed: it is ending, or it is lost
DRAIN_TIME = 0.5  # seconds to read on after a child's end, while a stray grandchild may hold its output
POLL_INTERVAL = 0.05  # seconds; how often a child's end is asked for where it can't be watched


@dataclass(frozen=True, slots=True)
class Ending:
    """How a child ended: `exitcode` as in `multiprocessing` (negative: by that signal)."""

    exitcode: int
    fault: str = ""  # what the child did that mprun ended it for

    @property
    def signal_name(self) -> str:
        """The signal's name, empty where it wasn't one."""
        if self.exitcode >= 0:
            return ""
        try:
            return signal.Signals(-self.exitcode).name
        except ValueError:
            return f"signal {-self.exitcode}"

    def __str__(self) -> str:
        how = f"was killed by {self.signal_name}" if self.signal_name else f"exited with code {self.exitcode}"
        return f"{self.fault} and {how}" if self.fault else how


class Listener(Protocol):
    """Who is told about a child. `ended` comes last, after every frame and every line of output."""

    def frame(self, child: Child, kind: int, body: bytes) -> None: ...
    def output(self, child: Child, stream: str, task: int | None, line: bytes) -> None: ...
    def suspended(self, child: Child, suspended: bool) -> None: ...
    def ended(self, child: Child, ending: Ending) -> None: ...


class Child:
    """A started `ChildProcess` under supervision.

    Its death is seen by a pidfd where the system has one, else by asking in intervals: the sentinel alone may be kept
    open by a grandchild. `mask` keeps secrets out of what it prints.
    """

    def __init__(self, loop: Loop, process: ChildProcess, listener: Listener, mask: Mask) -> None:
        self.process = process
        assert process.pid is not None
        self.pid: int = process.pid
        self.stopped_by = ""  # why mprun itself ended it, told apart from foreign kills
        self.verdict: Outcome = "lost"  # the outcome of what it was at, if it ends now
        self.fault = ""
        self.oom_kills_before = kernel_kills.count()
        self._loop = loop
        self._listener = listener
        self._frames = Splitter()
        self._printed = [OutputLines(partial(listener.output, self, stream), mask) for stream in STREAMS]
        self._pipes = [
            _Pipe(loop, process.frames, self._take_frames),
            *(
                _Pipe(loop, ends, partial(OutputLines(partial(listener.output, self, stream), mask).take, None))
                for stream, ends in zip(STREAMS, (process.stdout, process.stderr), strict=True)
            ),
        ]
        self._pidfd = _pidfd(self.pid)
        self._poll: Timer | None = None
        self._drained: Timer | None = None
        self.alive = True
        self._suspension = SuspensionWatch(loop, self.pid, partial(listener.suspended, self))
        if self._pidfd is not None:
            loop.watch(self._pidfd, self._died)
        else:
            self._poll = loop.call_later(0, self._ask_whether_dead)  # not here: its listener doesn't know it yet

    @property
    def suspended(self) -> bool:
        """Whether somebody has stopped it (SIGSTOP) and it was not continued."""
        return self._suspension.suspended

    def signal(self, number: int) -> None:
        """Send signal `number` to the child and all that it started."""
        if self.alive:
            signal_group(self.pid, number)

    def end(self, number: int, why: str, verdict: Outcome = "cancelled") -> None:
        """End the child by signal `number`; `why` tells this end from one that mprun didn't mean.

        `verdict` is the outcome of the call at work. The first reason to end a child stays.
        """
        if self.alive:
            if not self.stopped_by:
                self.stopped_by, self.verdict = why, verdict
            signal_group(self.pid, number)
            signal_group(self.pid, signal.SIGCONT)  # a stopped process takes no other signal but SIGKILL

    def terminate(self, grace_period: float, why: str, verdict: Outcome) -> None:
        """Ask the child to end (SIGTERM), and make it end (SIGKILL) when it is still there after `grace_period`."""
        if not self.stopped_by:
            self.end(signal.SIGTERM, why, verdict)
            self._loop.call_later(grace_period, lambda: self.end(signal.SIGKILL, why, verdict))

    def ignore(self) -> None:
        """Leave what it tells in its pipe, until `hear`: when that is full, the child waits."""
        if self._pipes:
            self._pipes[0].ignore()

    def hear(self) -> None:
        """Take what it tells, as from the beginning."""
        if self._pipes:
            self._pipes[0].hear()

    def _take_frames(self, data: bytes) -> None:
        if self.fault:
            return
        if not data:
            self._loop.call_later(CLOSED_PIPE_TIME, self._no_frames_any_more)
            return
        try:
            for kind, body in self._frames.feed(data):
                if kind == OUTPUT:
                    task, stream, printed = read_output(body)
                    self._printed[stream].take(task, printed)
                else:
                    for lines in self._printed:
                        lines.finish()  # what a task printed last, without a newline, stands before its result
                    self._listener.frame(self, kind, body)
        except FrameError:
            self._end_for("wrote into mprun's own pipe")

    def _no_frames_any_more(self) -> None:
        if self.alive:
            self._end_for("closed mprun's own pipe")

    def _end_for(self, fault: str) -> None:
        """End a child that can't tell of its work any more."""
        self.fault = fault
        self.signal(signal.SIGKILL)

    def _ask_whether_dead(self) -> None:
        if self.process.exitcode is not None:
            self._died()
        else:
            self._poll = self._loop.call_later(POLL_INTERVAL, self._ask_whether_dead)

    def _died(self) -> None:
        if self._pidfd is not None:
            self._loop.unwatch(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = None
        self.alive = False
        self._suspension.close()
        signal_group(self.pid, signal.SIGKILL)  # before it is reaped, so that the number can't be anybody else's
        self._drained = self._loop.call_later(DRAIN_TIME, self._close_pipes)
        self._drain()

    def _drain(self) -> None:
        """Read until the pipes end, for `DRAIN_TIME` at most; then hear how it ended."""
        for pipe in self._pipes:
            pipe.read_what_is_there()
        if any(pipe.open for pipe in self._pipes):
            self._loop.call_later(0.01, self._drain)
        elif self._drained is not None:
            self._drained.cancel()
            self._drained = None
            self._reap()

    def _close_pipes(self) -> None:
        for pipe in self._pipes:
            pipe.close()

    def _reap(self) -> None:
        exitcode = self.process.exitcode
        if exitcode is None:  # a thread of the Pool is reaping it at this moment
            self._loop.call_later(0.002, self._reap)
            return
        self.process.join()
        for lines in self._printed:
            lines.take(None, b"")
        self.process.life.close_parents()
        if self.process.stacks is not None:
            self.process.stacks.close()
        self._listener.ended(self, Ending(exitcode, self.fault))
        # No cycle is to keep the process and its descriptors until the next garbage collection.
        self._pipes.clear()
        self._printed.clear()


def signal_group(pid: int, number: int) -> None:
    """Signal the group that `pid` leads, and `pid` itself in case it hasn't become the leader yet."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _pidfd(pid: int) -> int | None:
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:  # it is gone already, or the kernel is older than 5.3
        return None


# What is read goes in here first. Most reads are short, and to set this much aside for each of them takes longer than a
# whole round trip to a worker. The loop is one thread.
_room = memoryview(bytearray(READ_SIZE))


class _Pipe:
    """A child's pipe, read without blocking."""

    def __init__(self, loop: Loop, ends: Ends, take: Callable[[bytes], None]) -> None:
        self.open = True
        self._loop = loop
        self._ends = ends
        self._take = take
        self._watched = False
        os.set_blocking(ends.parent_fd, False)
        self.hear()

    def hear(self) -> None:
        if self.open and not self._watched:
            self._watched = True
            self._loop.watch(self._ends.parent_fd, self._readable)

    def ignore(self) -> None:
        if self._watched:
            self._watched = False
            self._loop.unwatch(self._ends.parent_fd)

    def _readable(self) -> None:
        self.read()

    def read(self) -> bool:
        """Take a piece of what is there; False when there is nothing more for now."""
        try:
            length = os.readv(self._ends.parent_fd, [_room])
        except BlockingIOError:
            return False
        if not length:
            self.close()
            return False
        self._take(bytes(_room[:length]))
        return True

    def read_what_is_there(self) -> None:
        """Take as much as a pipe holds: a stray grandchild may write faster than it can be read."""
        for _ in range(1 + MAX_PIPE_SIZE // READ_SIZE):
            if not self.open or not self.read():
                return

    def close(self) -> None:
        if self.open:
            self.open = False
            self._take(b"")
            self.ignore()
            self._ends.close_parents()
