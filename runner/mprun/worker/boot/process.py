"""`multiprocessing.Process` with private pipes: one class for each start method, the same duties in all of them.

The object is made in the parent, travels to the child as `multiprocessing` carries it, and there sets the child up
before anything of the user's runs: own process group, tied to the parent's life, output into pipes, environment.
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

# Descriptors that belong to the parent alone. A forked child inherits them and closes them first: a sibling that held
# the other end of a pipe would hide its end of file.
_parents_own: set[int] = set()
_parents_own_lock = threading.Lock()

_BLOCKED_AT_START = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP}

HIGH_FD = 200  # from here up a child's own pipes are kept

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

    def move_up(self) -> None:
        """In the child: move to a high number, out of the way of user code that closes the first few."""
        with contextlib.suppress(OSError):  # the limit of open files is lower
            high = fcntl.fcntl(self.childs.fileno(), fcntl.F_DUPFD_CLOEXEC, HIGH_FD)
            self.childs.close()
            self.childs = connection.Connection(high)

    def close_parents(self) -> None:
        with _parents_own_lock:
            _parents_own.discard(self.parent_fd)
            os.close(self.parent_fd)


def _enlarge(fd: int) -> None:
    """Make room for a few runs of results, so that a worker seldom waits for the parent."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with contextlib.suppress(OSError):  # over the user's limit: the usual size will do
            fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, 1 << 20)


class ChildProcess(BaseProcess):
    """A Process that the parent can follow without a lock, a queue or a thread between them.

    `surroundings` is what the child is given, `worker` its number within a pool (from 1), `takes_tasks` whether it
    has a pipe for tasks, `has_shelf` whether it has memory for what its tasks return, `reports_stacks` whether it can
    be asked for its stacks, `unset` the environment variables that it is not to keep, `share` what it shares with
    other children. `on_started` is called in the parent once the process runs, `on_start_failed` where it could not be
    started; in whichever thread started it.
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
        # The parent's copies of the child's ends are closed in any case, its own ends where the start fails.
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
        """Start the child deaf to signals until it has its own handlers and process group (`_leave_group`).

        Before that a Ctrl-C would reach it, too, and a handler inherited by fork would wake the parent's loop.
        """
        if not isinstance(self, context.ForkProcess):
            resource_tracker.ensure_running()  # its start would unblock SIGINT and SIGTERM
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
            self._config["daemon"] = False  # type: ignore[attr-defined] # a pool's worker may have children of its own
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
        """Send one frame, whose body is all `parts`, to the parent.

        A process that the user's code forked off, and which came back here as its parent did, ends.
        """
        if not self.is_this_process():
            os._exit(0)
        with self._sending:
            self._unsent.append((kind, *parts))
            if self._amid_a_frame:
                return  # a signal handler of the user's prints: what it interrupted here sends this as well
            self._amid_a_frame = True
            try:
                while self._unsent:
                    write_frame(self.frames.childs.fileno(), *self._unsent.popleft())
            except OSError:  # the user's code has closed the pipe: nobody would ever hear how its work ends
                os._exit(1)
            finally:
                self._amid_a_frame = False

    def is_this_process(self) -> bool:
        return os.getpid() == self._pid_of_child


def _new_result_memory() -> ResultMemory:
    from mprun.worker.wire.result_memory import ResultMemory

    return ResultMemory()


def close_parents_own() -> None:
    """In a child that was forked: close what it has of its parent and siblings."""
    for fd in _parents_own:
        with contextlib.suppress(OSError):
            os.close(fd)
    _parents_own.clear()


def _leave_group(process: ChildProcess) -> None:
    os.setpgid(0, 0)
    close_parents_own()
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP, signal.SIGCONT, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # drops one that is pending: it was meant for the group left behind
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _BLOCKED_AT_START)
    _leave_terminal()
    process.life.move_up()
    lifeline.hold(process.life.childs.fileno())


def _leave_terminal() -> None:
    """Have no controlling terminal: from a background group, asking a password there would stop the group for good.

    As it is, `getpass` and the like find none, and `ssh` and `git` say so.
    """
    with contextlib.suppress(OSError):  # there is none
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
        # Python 3.12 and later warn of a fork beside threads, here the Pool's own. What a child does before it has its
        # own streams and handlers takes no lock that such a thread could hold.
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
