"""The parent's side of one child: it reads the child's pipes, notices its end, and leaves nothing open."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from mprun.engines.child.oom import kernel_kills
from mprun.log.masking import Mask
from mprun.log.words import Outcome
from mprun.system.loop import Loop, Timer
from mprun.system.machine import is_stopped
from mprun.worker.boot.process import ChildProcess, Ends
from mprun.worker.wire.frames import OUTPUT, STREAMS, FrameError, Splitter, read_output

READ_SIZE = 1024 * 1024
MAX_PIPE_SIZE = 1024 * 1024  # bytes; the largest that an ordinary user may set
CLOSED_PIPE_TIME = 0.5  # seconds that a child may live on with its pipe for frames closed: it is ending, or it is lost
DRAIN_TIME = 0.5  # seconds to read after a child's end, while a stray grandchild may hold its output open
MAX_OUTPUT_LINE = 8 * 1024  # bytes; passes on a longer line in pieces, each of which fits a line of the log
SUSPENSION_INTERVAL = 1.0  # seconds; a stop counts when two looks in a row see it
POLL_INTERVAL = 0.05  # seconds between two checks for a child's end, where there is no pidfd


@dataclass(frozen=True, slots=True)
class Ending:
    """How a child ended: `exitcode` as in `multiprocessing` (negative: by that signal)."""

    exitcode: int
    fault: str = ""  # what the child did, where mprun ended it for that

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
    """Receives what a child does. `ended` comes last, after every frame and every line of output."""

    def frame(self, child: Child, kind: int, body: bytes) -> None: ...
    def output(self, child: Child, stream: str, task: int | None, line: bytes) -> None: ...
    def suspended(self, child: Child, suspended: bool) -> None: ...
    def ended(self, child: Child, ending: Ending) -> None: ...


class Child:
    """A started `ChildProcess` under supervision.

    A pidfd reports its death; without one, the loop asks at intervals. The sentinel of `multiprocessing` is not
    enough: a grandchild may hold it open. `mask` keeps secrets out of what the child prints.
    """

    def __init__(self, loop: Loop, process: ChildProcess, listener: Listener, mask: Mask) -> None:
        self.process = process
        assert process.pid is not None
        self.pid: int = process.pid
        self.stopped_by = ""  # why mprun itself ended it; empty for a kill by anybody else
        self.verdict: Outcome = "lost"  # the outcome of the running call, if the child ends now
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
            self._poll = loop.call_later(0, self._ask_whether_dead)  # not here: the listener doesn't have it yet

    @property
    def suspended(self) -> bool:
        """Whether somebody has suspended it (SIGSTOP) and nobody has continued it."""
        return self._suspension.suspended

    def signal(self, number: int) -> None:
        """Send signal `number` to the child and its process group."""
        if self.alive:
            signal_group(self.pid, number)

    def end(self, number: int, why: str, verdict: Outcome = "cancelled") -> None:
        """End the child by signal `number`. The first `why` stands: it marks this end as mprun's own.

        `verdict` is the outcome of the running call.
        """
        if self.alive:
            if not self.stopped_by:
                self.stopped_by, self.verdict = why, verdict
            signal_group(self.pid, number)
            signal_group(self.pid, signal.SIGCONT)  # a stopped process takes no other signal but SIGKILL

    def terminate(self, grace_period: float, why: str, verdict: Outcome) -> None:
        """Send SIGTERM, and SIGKILL if the child still lives after `grace_period` seconds."""
        if not self.stopped_by:
            self.end(signal.SIGTERM, why, verdict)
            self._loop.call_later(grace_period, lambda: self.end(signal.SIGKILL, why, verdict))

    def ignore(self) -> None:
        """Stop reading its frames until `hear`: when the pipe is full, the child waits."""
        if self._pipes:
            self._pipes[0].ignore()

    def hear(self) -> None:
        """Read its frames again."""
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
                        lines.finish()  # output without a newline at its end stands before the task's result
                    self._listener.frame(self, kind, body)
        except FrameError:
            self._end_for("wrote into mprun's own pipe")

    def _no_frames_any_more(self) -> None:
        if self.alive:
            self._end_for("closed mprun's own pipe")

    def _end_for(self, fault: str) -> None:
        """End a child that can no longer report its work."""
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
        # Before the child is reaped: until then no other process can get its number
        signal_group(self.pid, signal.SIGKILL)
        self._drained = self._loop.call_later(DRAIN_TIME, self._close_pipes)
        self._drain()

    def _drain(self) -> None:
        """Read until the pipes end, for `DRAIN_TIME` at most; then reap the child."""
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
        if exitcode is None:  # a thread of the Pool is reaping it right now
            self._loop.call_later(0.002, self._reap)
            return
        self.process.join()
        for lines in self._printed:
            lines.take(None, b"")
        self.process.life.close_parents()
        if self.process.stacks is not None:
            self.process.stacks.close()
        self._listener.ended(self, Ending(exitcode, self.fault))
        # Break the cycle, or the process and its descriptors stay until the next garbage collection.
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
    except OSError:  # it has been reaped, or the kernel is older than 5.3
        return None


# All reads go through this buffer. Most reads are short, and allocating a megabyte for each of them takes longer than a
# whole round trip to a worker. One buffer is enough: the loop is one thread.
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
        """Read once; return False when nothing is left for now."""
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
        """Read as much as a pipe holds, and no more: a stray grandchild may write faster than we read."""
        for _ in range(1 + MAX_PIPE_SIZE // READ_SIZE):
            if not self.open or not self.read():
                return

    def close(self) -> None:
        if self.open:
            self.open = False
            self._take(b"")
            self.ignore()
            self._ends.close_parents()


class OutputLines:
    """Passes each line on without its newline, with the task that printed it.

    Passes on an unfinished line when another task prints, when the child sends another frame, at the end (empty
    `data`), or when the line is too long.
    """

    def __init__(self, pass_on: Callable[[int | None, bytes], None], mask: Mask) -> None:
        self._pass_on = pass_on
        self._mask = mask
        self._rest = b""
        self._task: int | None = None

    def take(self, task: int | None, data: bytes) -> None:
        if task != self._task or not data:
            self.finish()
        self._task = task
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._in_pieces(self._mask.output(line))
        if len(self._rest) > MAX_OUTPUT_LINE + self._mask.longest:
            self._pass_on_beginning()

    def finish(self) -> None:
        """Pass on the unfinished line."""
        if self._rest:
            self._in_pieces(self._mask.output(self._rest))
            self._rest = b""

    def _pass_on_beginning(self) -> None:
        """Pass on the unfinished line, except for an end that may be the beginning of a secret."""
        masked = self._mask.output(self._rest)
        end = len(masked) - max(self._mask.longest - 1, 0)
        self._in_pieces(masked[:end])
        self._rest = masked[end:]

    def _in_pieces(self, line: bytes) -> None:
        for start in range(0, len(line) or 1, MAX_OUTPUT_LINE):
            self._pass_on(self._task, line[start : start + MAX_OUTPUT_LINE])


class SuspensionWatch:
    """Looks at process `pid` until it is closed; calls `report(suspended)` at each change."""

    def __init__(self, loop: Loop, pid: int, report: Callable[[bool], None]) -> None:
        self.suspended = False
        self._loop = loop
        self._pid = pid
        self._report = report
        self._seen = False
        self._timer = loop.call_later(SUSPENSION_INTERVAL, self._look)

    def close(self) -> None:
        self._timer.cancel()
        del self._report  # a cycle would keep the child and its descriptors until the next garbage collection

    def _look(self) -> None:
        self._timer = self._loop.call_later(SUSPENSION_INTERVAL, self._look)
        before, self._seen = self._seen, is_stopped(self._pid)
        suspended = self._seen and before
        if suspended != self.suspended:
            self.suspended = suspended
            self._report(suspended)
