"""Targets that make values for other steps, take them, and wait for one another. Runs in children only."""

from __future__ import annotations

import dataclasses
import datetime
import importlib
import itertools
import os
import pickle
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

LIMIT = 20.0  # seconds that anything here waits for something that is to come


class Block:
    """Bytes that are pickled out of band, as an array's are."""

    def __init__(self, data: Any) -> None:
        self.data = data

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return Block, (pickle.PickleBuffer(self.data),)


def block(size: int) -> Block:
    return Block(bytearray(b"x" * size))


def change_block(value: Block) -> tuple[int, bytes]:
    """Write into it, as code that owns an array may; its size and its first bytes are returned."""
    view = memoryview(value.data)
    before = bytes(view[:2])
    view[0] = ord("y")
    return len(view), before + bytes(view[:1])


def text(size: int) -> str:
    return "x" * size


def same(value: Any) -> Any:
    return value


def arguments(*args: Any, **kwargs: Any) -> list[Any]:
    return [*args, kwargs]


def numbers(count: int) -> list[int]:
    return list(range(count))


def record(number: int) -> dict[str, Any]:
    return {"name": f"n{number}", "square": number * number}


_remembered: list[Any] = []


def remember(value: Any) -> None:
    _remembered.append(value)


def recall(_: Any) -> Any:
    return _remembered[0]


def fails_if_odd(number: int) -> int:
    if number % 2:
        raise ValueError(f"{number} is odd")
    return number


def none_if_even(number: int) -> None:
    if number % 2:
        raise ValueError(f"{number} is odd")


def fails_first(folder: str, size: int, number: int) -> str:
    """Dies at the first attempt, when what it would return is made; the second attempt returns something else."""
    mark = Path(folder, str(number))
    if mark.exists():
        return f"second {number}" + "x" * size
    mark.touch()
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def slower_first(number: int) -> int:
    """The lower the number, the later it is done."""
    time.sleep(0.1 * (3 - number))
    return number


def forks(size: int) -> list[str]:
    """Returns in a copy of its process as well."""
    who = "original" if os.fork() else "copy"
    return [who, "x" * size]


# -- waiting for one another


def wait_for_file(path: Path) -> None:
    until = time.monotonic() + LIMIT
    while not path.exists():
        if time.monotonic() > until:
            raise TimeoutError(f"{path} didn't come")
        time.sleep(0.002)


def waits_for(folder: str, number: int, behind: int = 1) -> int:
    """Returns once the number `behind` before this one has been taken."""
    if number >= behind:
        wait_for_file(Path(folder, str(number - behind)))
    return number


def takes(folder: str, number: int) -> int:
    Path(folder, str(number)).touch()
    return number * 10


def takes_slowly(folder: str, number: int) -> int:
    """Says that it has begun, and ends when it may."""
    Path(folder, f"begun-{number}").touch()
    wait_for_file(Path(folder, "go"))
    return number


def naps(number: int) -> int:
    time.sleep(0.002)
    return number


def stays(_: Any) -> NoReturn:
    while True:
        time.sleep(1000)


# -- generators


def counts(count: int) -> Iterator[int]:
    yield from range(count)


def endless() -> Iterator[int]:
    return itertools.count()


def prints_and_counts(count: int) -> Iterator[int]:
    for number in range(count):
        print("yielding", number)
        yield number


def blocks(count: int, size: int) -> Iterator[bytes]:
    for number in range(count):
        yield bytes([number % 256]) * size


def yields_then(how: str) -> Iterator[Any]:
    yield from range(5)
    match how:
        case "raise":
            raise ValueError("no more")
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "exit":
            os._exit(3)
        case "sys.exit":
            sys.exit(4)
        case "unpicklable":
            yield lambda: None


def yields_one_and_waits(folder: str) -> Iterator[int]:
    """The next one would come once number 0 has been taken."""
    yield 1
    wait_for_file(Path(folder, "0"))


def no_generator() -> int:
    return 5


def yields_and_stays() -> Iterator[int]:
    """Deaf to a polite end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    yield 1
    while True:
        time.sleep(1000)


def tells_how_far(path: str) -> Iterator[bytes]:
    """An endless source of items of 100 kB that notes how many it has yielded."""
    for number in itertools.count():
        Path(path).write_text(str(number))
        yield bytes(100_000)


# -- more


def waits_for_pair(pair: tuple[str, int]) -> tuple[str, int]:
    return pair[0], waits_for(*pair)


def waits_for_pair_if_any(pair: tuple[str, int] | None) -> tuple[str, int] | None:
    return None if pair is None else waits_for_pair(pair)


def only_the_first(pair: tuple[str, int]) -> tuple[str, int]:
    folder, number = pair
    if number:
        raise ValueError(number)
    return folder, 1


def takes_pair(pair: tuple[str, int]) -> int:
    return takes(*pair)


def sums(values: list[int]) -> list[int]:
    return [len(values), sum(values)]


@dataclasses.dataclass
class Point:
    x: int
    y: datetime.date


def point(number: int) -> Point:
    return Point(number, datetime.date(1970, 1, 1 + number))


def frame(kind: str) -> Any:
    """Two rows, in one of which a value is missing."""
    library: Any = importlib.import_module(kind.partition("-")[0])
    if kind == "pandas-index":
        return library.DataFrame({"a": [1, 2]}, index=library.Index(["x", "y"], name="key"))
    return library.DataFrame({"a": [1, 2], "b": ["x", None]})


class SlowToLoad:
    """Takes its time when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return stays, (None,)


def slow_to_load() -> SlowToLoad:
    return SlowToLoad()


def takes_slowly_pair(pair: tuple[str, int]) -> int:
    return takes_slowly(*pair)
