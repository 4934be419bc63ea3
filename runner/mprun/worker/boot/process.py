"""`multiprocessing.Process` with private pipes: one class per start method, with the same duties.

The parent makes the object, and `multiprocessing` carries it to the child. There it sets the child up before any of the
user's code runs: its own process group, tied to the parent's life; output into pipes; the environment.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import sys
import threading
import warnings
from collections import deque
from collections.abc import Callable
from multiprocessing import connection, context, resource_tracker
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING, Any

from mprun.language.targets import search_path
from mprun.plan.child_spec import Surroundings
from mprun.worker.boot import lifeline
from mprun.worker.boot.stacks import Stacks
from mprun.worker.wire.board import Board
from mprun.worker.wire.frames import GOODBYE, write_frame
from mprun.worker.wire.output import flush_output, redirect_output

if TYPE_CHECKING:
    from mprun.sharing.child import Share
    from mprun.worker.wire.result_memory import ResultMemory  # most children have none

# Descriptors that only the parent may hold. A forked child inherits them and closes them first: a sibling that kept the
# other end of a pipe open would hide its end of file.
_parents_own: set[int] = set()
_parents_own_lock = threading.Lock()

_BLOCKED_AT_START = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP}

HIGH_FD = 200  # a child moves its own pipes to descriptors from here up

# The object of this process; set only in a child.
current: ChildProcess


class Ends:
    """One pipe: the child's end as a `Connection`, which `multiprocessing` can send; the parent's as a descriptor."""

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

    def move_up(self) -> None:
        """Move the child's end to a high number, out of the way of user code that closes the first few.

        Only in the child.
        """
        with contextlib.suppress(OSError):  # the limit of open files is too low
            high = fcntl.fcntl(self.childs.fileno(), fcntl.F_DUPFD_CLOEXEC, HIGH_FD)
            self.childs.close()
            self.childs = connection.Connection(high)

    def close_parents(self) -> None:
        with _parents_own_lock:
            _parents_own.discard(self.parent_fd)
            os.close(self.parent_fd)


def _enlarge(fd: int) -> None:
    """Make room for a few runs of results in the pipe, so that a worker seldom waits for the parent."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with contextlib.suppress(OSError):  # beyond the user's limit; the usual size will do
            fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, 1 << 20)


class ChildProcess(BaseProcess):
    """A Process that the parent follows without a lock, a queue or a thread between them.

    `surroundings` is sent to the child; `worker` is its number in its pool, from 1. `takes_tasks` gives it a pipe for
    tasks, `has_result_memory` memory for the values that tasks return, `reports_stacks` a way to report its stacks on
    request. `unset` are environment variables that the child removes; `share` is what it shares with other children.
    The parent calls `on_started` once the process runs, and `on_start_failed` if it can't start, in the thread that
    starts it.
    """

    surroundings: Surroundings
    worker: int = 0
    takes_tasks: bool = False
    reports_stacks: bool = False
    has_result_memory: bool = False
    unset: tuple[str, ...] = ()
    share: Share | None = None
    on_started: Callable[[ChildProcess], None] | None = None
    on_start_failed: Callable[[BaseException], None] | None = None

    def start(self) -> None:
        # The callbacks leave the object before the start: `spawn` and `forkserver` pickle it, and a callback can't be
        # pickled.
        notify, self.on_started = self.on_started, None
        refused, self.on_start_failed = self.on_start_failed, None
        try:
            self._start_with_pipes()
        except BaseException as error:
            if refused is not None:
                refused(error)
            raise
        if notify is not None:
            notify(self)

    def _start_with_pipes(self) -> None:
        # Close the parent's copies of the child's ends in any case, and the parent's own ends if the start fails.
        with contextlib.ExitStack() as parents, contextlib.ExitStack() as childs:

            def pipe(*, child_writes: bool) -> Ends:
                ends = Ends(child_writes=child_writes)
                parents.callback(ends.close_parents)
                childs.callback(ends.childs.close)
                return ends

            self.frames = pipe(child_writes=True)
            _enlarge(self.frames.parent_fd)
            self.stdout = pipe(child_writes=True)
            self.stderr = pipe(child_writes=True)
            self.life = pipe(child_writes=False)
            if self.takes_tasks:
                self.tasks = pipe(child_writes=False)
            self.board = Board()
            childs.callback(self.board.close_file)
            self.result_memory = _new_result_memory() if self.has_result_memory else None
            if self.result_memory is not None:
                childs.callback(self.result_memory.close_file)
            if self.share is not None:
                childs.callback(self.share.notes.close_file)
            self.stacks = Stacks() if self.reports_stacks or self.share is not None else None
            if self.stacks is not None:
                parents.callback(self.stacks.close)
            self._start_with_signals_blocked()
            parents.pop_all()

    def _start_with_signals_blocked(self) -> None:
        """Start the child with signals blocked until it has its own handlers and process group (`_leave_group`).

        Before that, a Ctrl-C would reach the child too, and a handler inherited by fork would wake the parent's loop.
        """
        if not isinstance(self, context.ForkProcess):
            resource_tracker.ensure_running()  # starting it later, inside `start`, would unblock SIGINT and SIGTERM
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _BLOCKED_AT_START)
        try:
            super().start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def run(self) -> None:
        global current
        current = self
        self._pid_of_child = os.getpid()
        _leave_group(self)
        self._unsent: deque[tuple[Any, ...]] = deque()
        self._sending = threading.RLock()
        self._amid_a_frame = False
        redirect_output(self)
        self.frames.move_up()
        if self.takes_tasks:
            self.tasks.move_up()
        if self.stacks is not None:
            self.stacks.enable()
        if self.worker:
            self._config["daemon"] = False  # type: ignore[attr-defined] # a daemon can't have children
        for name in self.unset:
            os.environ.pop(name, None)
        _apply(self.surroundings)
        if self.share is not None:
            self._run_with_shared_things(self.share)
        else:
            super().run()
        flush_output()
        self.send(GOODBYE, json.dumps(_usage()).encode())

    def _run_with_shared_things(self, share: Share) -> None:
        from mprun.sharing import child

        child.enter(share)
        super().run()
        child.leave()

    def send(self, kind: int, *parts: bytes | memoryview) -> None:
        """Send one frame to the parent. Its body is all `parts` in order.

        If the user's code forked, and the copy returned to here as its parent did, the copy ends: its frames would mix
        with the parent's.
        """
        if not self.is_this_process():
            os._exit(0)
        with self._sending:
            self._unsent.append((kind, *parts))
            if self._amid_a_frame:
                # A signal handler of the user's printed in the middle of a frame; the interrupted call below sends this
                # frame next.
                return
            self._amid_a_frame = True
            try:
                while self._unsent:
                    write_frame(self.frames.childs.fileno(), *self._unsent.popleft())
            except OSError:  # the user's code closed the pipe: no result could ever be reported
                os._exit(1)
            finally:
                self._amid_a_frame = False

    def is_this_process(self) -> bool:
        return os.getpid() == self._pid_of_child


def _new_result_memory() -> ResultMemory:
    from mprun.worker.wire.result_memory import ResultMemory

    return ResultMemory()


def close_parents_own() -> None:
    """Close the descriptors that a forked child has of its parent and its siblings."""
    for fd in _parents_own:
        with contextlib.suppress(OSError):
            os.close(fd)
    _parents_own.clear()


def _leave_group(process: ChildProcess) -> None:
    # First its own group, then its own handlers, and only then signals: a Ctrl-C that was sent meanwhile was for the
    # parent. The lifeline is last, because it holds the group's number.
    os.setpgid(0, 0)
    close_parents_own()
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP, signal.SIGCONT, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # discards a pending one, which was meant for the old group
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _BLOCKED_AT_START)
    _leave_terminal()
    process.life.move_up()
    lifeline.hold(process.life.childs.fileno())


def _leave_terminal() -> None:
    """Give up the controlling terminal. A background group that reads a password from it would be stopped for good.

    Without a terminal, `getpass`, `ssh` and `git` fail with a message instead.
    """
    with contextlib.suppress(OSError):  # there is no terminal
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC)
        try:
            import termios

            fcntl.ioctl(terminal, termios.TIOCNOTTY)
        finally:
            os.close(terminal)


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
    def start(self) -> None:
        # Python 3.12 and later warn of a fork beside threads, here the Pool's own. Until a child has its own streams
        # and handlers, it takes no lock that such a thread could hold.
        warnings.filterwarnings("ignore", r".*use of fork\(\) may lead to deadlocks", DeprecationWarning)
        super().start()


class ForkServerChild(ChildProcess, context.ForkServerProcess):
    @staticmethod
    def _Popen(process_obj: BaseProcess) -> Any:  # noqa: N802 -- the name that `multiprocessing` calls
        from mprun.worker.boot.forkserver import Popen

        return Popen(process_obj)


CHILD_CLASSES: dict[str, type[ChildProcess]] = {
    "fork": ForkChild,
    "spawn": SpawnChild,
    "forkserver": ForkServerChild,
}
