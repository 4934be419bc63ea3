"""Targets that gather something in their worker, and finalizers that give it, or end in every wrong way."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import zoo

gathered: list[int] = []
begun: list[str] = []
LIMIT = 20.0  # seconds that anything here waits for something that is to come


def begin(name: str) -> None:
    begun.append(name)


def gather(number: int) -> int:
    gathered.append(number)
    return number


def give() -> list[int]:
    return gathered


def give_begun() -> list[str]:
    return begun


def gather_beside(number: int, folder: str) -> int:
    """Wait until another worker is at a task as well."""
    Path(folder, f"at-{number}").touch()
    until = time.monotonic() + LIMIT
    while len(list(Path(folder).glob("at-*"))) < 2:
        assert time.monotonic() < until
        time.sleep(0.001)
    return gather(number)


def gather_or_die(number: int, fatal: int, flag: str) -> int:
    """Kill the worker at the number `fatal`, the first time."""
    if number == fatal and not os.path.exists(flag):
        Path(flag).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return gather(number)


def gather_then_hang(number: int) -> int:
    """The second task of a worker takes too long."""
    return gather(number) if not gathered else hang()


def give_large() -> str:
    return "x" * 100_000


def give_what_kills_who_loads_it() -> Any:
    return Deadly()


class Deadly:
    """Ends the process that unpickles it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os._exit, (7,)


def give_unpicklable() -> Any:
    return lambda: None


def print_and_give() -> int:
    print("at the end")
    return 1


def take_over(thing: Any) -> None:
    global shared
    shared = thing


def put_late() -> None:
    """Nobody else puts anything, and for a while it looks as if nobody would."""
    time.sleep(0.8)
    for number in range(5):
        shared.put(number)


def wait_for_nobody(number: int) -> None:
    if number == 0:
        shared.wait()


def raise_error() -> Any:
    raise ValueError("no luck")


def give_or_raise() -> list[int]:
    return raise_error() if 0 in gathered else gathered


def exit_0() -> None:
    zoo.end("exit 0")


def exit_3() -> None:
    zoo.end("exit 3")


def leave() -> None:
    zoo.end("_exit 0")


def kill() -> None:
    zoo.end("kill")


def crash() -> None:
    zoo.end("segfault")


def hang() -> Any:
    time.sleep(LIMIT * 10)


def hang_deaf() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    hang()


def hang_then_exit() -> None:
    """Say something else in answer to SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: zoo.end("exit 3"))
    hang()
