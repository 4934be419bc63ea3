"""`multiprocessing.Process` with private pipes: one class for each start method, the same duties in all of them.

The object is made in the parent, travels to the child as `multiprocessing` carries it, and there sets the child up
before anything of the user's runs: own process group, tied to the parent's life, output into pipes, environment.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing import connection, context
from multiprocessing.process import BaseProcess

from mprun.plan import Surroundings
from mprun.targets import search_path
from mprun.worker import lifeline
from mprun.worker.board import Board
from mprun.worker.frames import GOODBYE, write_frame
from mprun.worker.output import flush_output, redirect_output

# Descriptors that belong to the parent alone. A forked child inherits them and closes them first: a sibling that held
# the other end of a pipe would hide its end of file.
_parents_own: set[int] = set()
_parents_own_lock = threading.Lock()

# Set in the child.
current: ChildProcess


class Ends:
    """One pipe: the child's end as a `Connection`, which `multiprocessing` can hand over, the parent's a descriptor."""

    def __init__(self, *, child_writes: bool) -> None:
        reader, writer = os.pipe()
        self.parent_fd, childs = (reader, writer) if child_writes else (writer, reader)
        self.childs = connection.Connection(childs, readable=not child_writes, writable=child_writes)
        with _parents_own_lock:
            _parents_own.add(self.parent_fd)

    def __getstate__(self) -> connection.Connection:
        return self.childs

    def __setstate__(self, childs: connection.Connection) -> None:
        self.childs = childs

    def close_parents(self) -> None:
        with _parents_own_lock:
            _parents_own.discard(self.parent_fd)
            os.close(self.parent_fd)


class ChildProcess(BaseProcess):
    """A Process that the parent can follow without a lock, a queue or a thread between them.

    `surroundings` is what the child is given, `worker` its number within a pool (from 1), `unset` the environment
    variables that it is not to keep; `on_started` is called in the parent once the process runs, in whichever thread
    started it.
    """

    surroundings: Surroundings
    worker: int = 0
    unset: tuple[str, ...] = ()
    on_started: Callable[[ChildProcess], None] | None = None

    def start(self) -> None:
        self.frames = Ends(child_writes=True)
        self.stdout = Ends(child_writes=True)
        self.stderr = Ends(child_writes=True)
        self.life = Ends(child_writes=False)
        self.board = Board()
        notify, self.on_started = self.on_started, None
        # A Ctrl-C between the start and the child's own process group would reach the child too. It starts with
        # the signal blocked and unblocks it when it has left the group.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            super().start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            for ends in (self.frames, self.stdout, self.stderr, self.life):
                ends.childs.close()
        self.board.close_file()
        if notify is not None:
            notify(self)

    def run(self) -> None:
        global current
        current = self
        self._pid_of_child = os.getpid()
        _leave_group(self)
        self._one_frame_at_a_time = threading.Lock()
        redirect_output(self)
        if self.worker:
            self._config["daemon"] = False  # type: ignore[attr-defined] # a pool's worker may have children of its own
        for name in self.unset:
            os.environ.pop(name, None)
        _apply(self.surroundings)
        super().run()
        flush_output()
        self.send(GOODBYE, json.dumps(_usage()).encode())

    def send(self, kind: int, body: bytes) -> None:
        """Send one frame to the parent. A process that the user's code forked off has no say here."""
        if self.is_this_process():
            with self._one_frame_at_a_time:
                write_frame(self.frames.childs.fileno(), kind, body)

    def is_this_process(self) -> bool:
        return os.getpid() == self._pid_of_child


def _leave_group(process: ChildProcess) -> None:
    os.setpgid(0, 0)
    for fd in _parents_own:
        with contextlib.suppress(OSError):
            os.close(fd)
    _parents_own.clear()
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP, signal.SIGCONT):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    lifeline.hold(process.life.childs.fileno())


def _apply(surroundings: Surroundings) -> None:
    os.environ.update(surroundings.env)
    os.chdir(surroundings.working_dir)
    sys.path[:] = search_path(sys.path, surroundings.pythonpath)


def _usage() -> dict[str, float | int]:
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    unit = 1 if sys.platform == "darwin" else 1024
    return {"cpu_time": round(used.ru_utime + used.ru_stime, 6), "max_rss": used.ru_maxrss * unit}


class SpawnChild(ChildProcess, context.SpawnProcess):
    pass


class ForkChild(ChildProcess, context.ForkProcess):
    pass


class ForkServerChild(ChildProcess, context.ForkServerProcess):
    pass


CHILD_CLASSES: dict[str, type[ChildProcess]] = {
    "fork": ForkChild,
    "spawn": SpawnChild,
    "forkserver": ForkServerChild,
}
