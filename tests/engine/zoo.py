"""The zoo of bad functions: targets that end, return, raise and print in every wrong way. Runs in children only."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

# -- good ones


def square(number: int) -> int:
    return number * number


def add(one: int, other: int) -> int:
    return one + other


def keywords(one: int, *, other: int) -> int:
    return one - other


@dataclass
class Point:
    x: float
    y: float = 0.0


def typed(path: Path, day: date, point: Point) -> list[Any]:
    return [path, day, point]


def half(number: float) -> Any:
    return number / 2, type(number).__name__


def set_day(day: date) -> None:
    global chosen
    chosen = day


def chosen_day(_: Path) -> Any:
    return chosen


def modules(*names: str) -> list[str]:
    return [name for name in names if name in sys.modules]


def pid(_: Any = None) -> int:
    return os.getpid()


def slow_square(number: int) -> int:
    """Ends out of order: the smaller the number, the later."""
    time.sleep(0.02 * (4 - number % 4))
    return number * number


# -- results


def huge(size: int) -> str:
    return "x" * size


def length(text: str) -> int:
    return len(text)


def odd_value(name: str) -> Any:
    recursive: list[Any] = []
    recursive.append(recursive)
    return {
        "nan": float("nan"),
        "bytes": b"\x00\xff",
        "surrogate": "\udc80",
        "recursive": recursive,
        "deep": _deep(500),
        "repr": BadRepr(),
        "len": BadLength(),
        "number": 10**5000,
    }[name]


def _deep(depth: int) -> Any:
    value: Any = None
    for _ in range(depth):
        value = [value]
    return value


class BadRepr:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")


class BadLength:
    def __len__(self) -> int:
        raise SystemExit("no length")


def unpicklable(_: Any = None) -> Any:
    return lambda: None


class Unloadable:
    """Can be pickled, and raises when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _refuse, ()


def _refuse() -> NoReturn:
    raise RuntimeError("not to be unpickled")


def unloadable(_: Any = None) -> Any:
    return Unloadable()


class EndsWhoLoadsIt:
    """Can be pickled, and calls sys.exit() when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return sys.exit, (3,)


def ends_who_loads_it(_: Any = None) -> Any:
    return EndsWhoLoadsIt()


# -- exceptions


def raises(_: Any = None) -> NoReturn:
    raise ValueError("no such thing")


class NeedsTwoError(Exception):
    """Can't be unpickled: its arguments aren't those of its class."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__("two are needed")


class WordlessError(Exception):
    def __str__(self) -> str:
        raise SystemExit("no words")

    __repr__ = __str__


def raise_odd(name: str) -> NoReturn:
    unpicklable_error = ValueError("holds a lock")
    unpicklable_error.lock = threading.Lock()  # type: ignore[attr-defined]
    raise {
        "unloadable": NeedsTwoError(1, 2),
        "unpicklable": unpicklable_error,
        "wordless": WordlessError(),
        "interrupt": KeyboardInterrupt(),
        "generator": GeneratorExit(),
        "surrogate": ValueError("\udc80\x00\x1b"),
        "control": ValueError("\x01" * 100_000),
        "group": ExceptionGroup("many", [ValueError(str(i)) for i in range(1000)]),
    }[name]


def recurse(_: Any = None) -> Any:
    return recurse(_) + 1


# -- ends


def end(how: str) -> Any:
    """End the way that `how` names; with any other text return it."""
    if how in ENDS:
        ENDS[how]()
    return how


def initializer_end(how: str) -> None:
    ENDS[how]()


def _segfault() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.string_at(0)


def _kill_self() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _half_a_frame() -> None:
    """Write the beginning of a result, as a worker killed at that moment would."""
    from mprun.worker.boot import process
    from mprun.worker.wire import frames

    whole, written = os.pipe()
    frames.write_frame(written, frames.RESULT, b"x" * 1000)
    os.write(process.current.frames.childs.fileno(), os.read(whole, 500))
    _kill_self()


def _grandchild() -> None:
    """Leave a grandchild in the same group, which holds every pipe."""
    if os.fork() == 0:
        time.sleep(1000)
        os._exit(0)
    _kill_self()


def _rubbish() -> None:
    from mprun.worker.boot import process

    os.write(process.current.frames.childs.fileno(), random.Random(0).randbytes(4096))


def _close_frames() -> None:
    from mprun.worker.boot import process

    process.current.frames.childs.close()


def _close_all() -> None:
    os.closerange(0, 4096)


def _trace() -> None:
    """From the return on, whatever is called in this process raises."""
    sys.settrace(lambda *_: raises())


def _fill_address_space() -> None:
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 2**26, used + 2**26))
    held = []
    while True:
        held.append(bytearray(2**20))


ENDS = {
    "exit 0": lambda: sys.exit(0),
    "exit 3": lambda: sys.exit(3),
    "_exit 0": lambda: os._exit(0),
    "_exit 7": lambda: os._exit(7),
    "kill": _kill_self,
    "segfault": _segfault,
    "half a frame": _half_a_frame,
    "grandchild": _grandchild,
    "rubbish": _rubbish,
    "close frames": _close_frames,
    "close all": _close_all,
    "killpg": lambda: os.killpg(0, signal.SIGTERM),
    "trace": _trace,
    "memory": _fill_address_space,
    "raise": raises,
    "stop": lambda: os.kill(os.getpid(), signal.SIGSTOP),
    "out of memory": lambda: fills_memory(2**28),
}


def stray(path: str) -> int:
    """Leave a grandchild in a session of its own, which holds each pipe and floods the output; its pid is in `path`."""
    if os.fork() == 0:
        os.setsid()
        Path(path).write_text(str(os.getpid()))
        while True:
            os.write(1, b"y" * 4095 + b"\n")
    while not Path(path).exists() or not Path(path).read_text():
        time.sleep(0.001)
    return 1


def deaf(path: str) -> NoReturn:
    """Ignore every polite signal, say so in `path`, and go on for good."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    Path(path).touch()
    while True:
        time.sleep(1000)


def says_when_it_works(path: str, seconds: float) -> str:
    Path(path).write_text(str(os.getpid()))
    time.sleep(seconds)
    return path


def asks_for_a_password() -> str:
    """What `getpass` does first, and `ssh` in a process of its own."""
    try:
        with open("/dev/tty") as terminal:
            return terminal.readline()
    except OSError as error:
        return type(error).__name__


def stops_and_waits(path: str) -> None:
    os.kill(os.getpid(), signal.SIGSTOP)
    while not Path(path).exists():
        time.sleep(0.001)


def nap(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def thread_left(seconds: float) -> str:
    threading.Thread(target=time.sleep, args=(seconds,)).start()
    return "returned"


# -- output


def prints(how: str) -> str:
    PRINTS[how]()
    return how


def _print_from_threads() -> None:
    threads = [threading.Thread(target=print, args=(f"thread {i}",)) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _print_in_handler() -> None:
    """A signal handler that prints whatever is going on, also amid another print."""

    def tick(*_: Any) -> None:
        print("tick")
        signal.setitimer(signal.ITIMER_REAL, 0.0002)

    signal.signal(signal.SIGALRM, tick)
    tick()
    for _ in range(5000):
        print("line")
    signal.signal(signal.SIGALRM, signal.SIG_IGN)


PRINTS = {
    "print": lambda: print("from Python"),
    "write": lambda: os.write(1, b"from C\n"),
    "subprocess": lambda: subprocess.run(["echo", "from a subprocess"], check=True),
    "partial": lambda: print("no end", end=""),
    "long": lambda: print("x" * 1_000_000),
    "binary": lambda: sys.stdout.buffer.write(bytes(range(256))),
    "threads": _print_from_threads,
    "handler": _print_in_handler,
    "both": lambda: (print("out"), print("err", file=sys.stderr)),
}


def replace(what: str) -> str:
    """Replace something of the process that mprun relies on, or that user code is used to replacing."""
    REPLACE[what]()
    return what


class _Broken:
    def write(self, text: str) -> NoReturn:
        raise KeyError("no write")

    def flush(self) -> NoReturn:
        raise KeyError("no flush")


def _fork_and_return() -> None:
    os.fork()


REPLACE = {
    "cwd": lambda: os.chdir("/"),
    "stdout": lambda: setattr(sys, "stdout", _Broken()),
    "no stdout": lambda: setattr(sys, "stdout", None),
    "closed stdout": lambda: sys.stdout.close(),
    "signals": lambda: [signal.signal(n, signal.SIG_IGN) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)],
    "no files": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0)),
    "blocked": lambda: signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals()),
    "name": lambda: Path("/proc/self/comm").write_text(") T 1 ("),
    "fds": lambda: os.closerange(0, 10),
    "fork": _fork_and_return,
    "environ": os.environ.clear,
    "path": sys.path.clear,
    "modules": lambda: [sys.modules.pop(name, None) for name in ("json", "mprun.log.values", "traceback")],
}


def nested(number: int) -> list[int]:
    """A Pool within a worker."""
    with multiprocessing.get_context("fork").Pool(2) as pool:
        return pool.map(square, range(number))


def with_grandchild(path: str) -> None:
    """Start a process of its own, then wait with it."""
    if os.fork() == 0:
        Path(path).touch()
    time.sleep(1000)


# -- for retries and limits


def fails_at_first(folder: str, times: int, how: str, number: int) -> int:
    """Ends as `how` says (see `end`) the first `times` times that it is called for `number`; then returns it."""
    calls = Path(folder, f"{number}")
    count = len(calls.read_text()) if calls.exists() else 0
    calls.write_text("x" * (count + 1))
    if count < times:
        end(how)
    return number


def prints_and_fails_at_first(folder: str, times: int, how: str) -> int:
    print("at it", flush=True)
    return fails_at_first(folder, times, how, 0)


def raises_file_not_found(_: Any = None) -> NoReturn:
    raise FileNotFoundError("not there")


def sleeps_if(seconds: float, when: int, number: int) -> int:
    """Sleeps when `number` is `when`."""
    if number == when:
        time.sleep(seconds)
    return number


def sleeps_deaf_if(seconds: float, when: int, number: int) -> int:
    """As `sleeps_if`, deaf to SIGTERM."""
    if number == when:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(seconds)
    return number


def answers_sigterm(seconds: float) -> None:
    """Raises when it is asked to end."""
    signal.signal(signal.SIGTERM, lambda number, frame: raises())
    time.sleep(seconds)


def fills_memory(size: int) -> int:
    """Holds `size` bytes for longer than any test waits."""
    held = bytearray(size)
    for page in range(0, size, 4096):
        held[page] = 1
    if size > 2**26:
        time.sleep(60)
    return len(held)


def counts_the_living(folder: str, number: int) -> int:
    """How many calls of it are at work at once, itself included."""
    mine = Path(folder, f"{number}")
    mine.touch()
    time.sleep(0.05)
    living = len(list(Path(folder).iterdir()))
    mine.unlink()
    return living


def ends_as(how: str) -> str:
    """Ends in a way that this process survives."""
    if how == "raise":
        raise ValueError(how)
    if how.startswith("sys.exit"):
        sys.exit(int(how.split()[1]))
    return how


def interrupts_itself(_: Any = None) -> None:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(60)
