"""The rows about what children share. Whatever is started, made or loaded is inside the time.

Each has both start methods: `fork` is the one that mpire takes by default. The goal is about the one at which mprun is
worse.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks import sharing_work
from benchmarks.case import Case, Contender, Figures, Goal

if TYPE_CHECKING:
    from mprun.plan.plan import SharedThing, StartMethod

WORKERS = 2
START_METHODS: tuple[StartMethod, ...] = ("forkserver", "fork")


def checked(seconds: float, answer: object, expected: object) -> float:
    """`seconds`, where the answer is the right one."""
    if answer != expected:
        raise RuntimeError("the answer is wrong")
    return seconds


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """How many seconds `call()` takes, and what it returns."""
    began = time.perf_counter()
    answer = call()
    return time.perf_counter() - began, answer


def shared_thing(name: str) -> Any:
    from mprun.language.references import Reference

    return Reference("shared", (name,))


# -- a large array

LARGE = 200_000_000  # bytes


@contextmanager
def array_file(size: int) -> Iterator[str]:
    """A .npy file of the numbers 0, 1, 2, …, of `size` bytes, the cache of the system holding it.

    Another process makes it, so that this one begins without numpy: mprun has no need of it.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "numbers.npy")
        subprocess.run(
            [sys.executable, "-c", f"import numpy; numpy.save({path!r}, numpy.arange({size // 8}))"], check=True
        )
        yield path


def strip_sums(size: int) -> list[int]:
    length = size // 8 // sharing_work.STRIPS
    return [length * (2 * number * length + length - 1) // 2 for number in range(sharing_work.STRIPS)]


def array_mprun(start_method: StartMethod, form: str, size: int, *, imported: bool = True) -> float:
    """`imported`: numpy is there before the clock starts, as for the others; else each forked worker imports it."""
    if imported:
        __import__("numpy")
    from benchmarks import ours
    from mprun.language.targets import parse_target
    from mprun.plan.plan import SharedThing

    with array_file(size) as file:
        loading = {"call": parse_target("numpy:load", file), "args": [file], "kwargs": {}}
        things = {
            "file": SharedThing("numbers", "array", ({"file": file, "mmap_mode": "r"},)),
            "array": SharedThing("numbers", "array", ({"file": file},)),
            "object": SharedThing("numbers", "object", (loading,)),
        }
        step = ours.pool(
            "strip_sum_of",
            sharing_work.STRIPS,
            WORKERS,
            module="sharing_work",
            kwargs={"array": shared_thing("numbers")},
        )
        return _ran_pool(start_method, step, [things[form]], strip_sums(size))


def array_peer(contender: str, start_method: StartMethod, size: int) -> float:
    from benchmarks import sharing_peers

    _import_peer(contender)
    with array_file(size) as file:
        run = getattr(sharing_peers, f"array_{contender}")
        return checked(*timed(lambda: run(start_method, file, WORKERS)), strip_sums(size))


def _ran_pool(start_method: StartMethod, step: Any, things: list[SharedThing], expected: list[int]) -> float:
    from benchmarks import ours

    began = time.perf_counter()
    with ours.ran(step, start_method=start_method, shared=things) as log:
        seconds = time.perf_counter() - began
        by_task = {event["task"]: event["result"] for event in log.results()}
        return checked(seconds, [by_task[task] for task in range(len(expected))], expected)


def _import_peer(contender: str) -> None:
    from benchmarks import peers

    peers.import_peer({"by_hand": "pool_map"}.get(contender, contender))


# -- what is made once in each worker


def table_mprun(start_method: StartMethod, size: int) -> float:
    from benchmarks import ours

    step = ours.pool("look_up", size, WORKERS, module="sharing_work", initializer="build")
    return _ran_pool(start_method, step, [], squares(size))


def table_peer(contender: str, start_method: StartMethod, size: int) -> float:
    from benchmarks import sharing_peers

    _import_peer(contender)
    run = getattr(sharing_peers, f"table_{contender}")
    return checked(*timed(lambda: run(start_method, size, WORKERS)), squares(size))


def squares(size: int) -> list[int]:
    return [number * number for number in range(size)]


# -- what each worker gathers

WORDS_A_DOCUMENT = 1_000
VOCABULARY = 5_000


@contextmanager
def documents(number: int) -> Iterator[list[str]]:
    """The paths of files with words of a fixed choice, all of the vocabulary among them."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, f"{each}.txt") for each in range(number)]
        for each, path in enumerate(paths):
            first = each * WORDS_A_DOCUMENT
            with open(path, "w", encoding="utf-8") as file:
                file.write(
                    " ".join(f"word{word * word % VOCABULARY}" for word in range(first, first + WORDS_A_DOCUMENT))
                )
        yield paths


def merged(number: int) -> list[int]:
    """The words in `number` documents, and the different ones."""
    count = number * WORDS_A_DOCUMENT
    return [count, len({word * word % VOCABULARY for word in range(min(count, VOCABULARY))})]


def counters_mprun(start_method: StartMethod, size: int) -> float:
    """Merged by a Process, which is given what the finalizers have returned."""
    from benchmarks import ours
    from mprun.language.references import Reference, finals_of

    with documents(size) as paths:
        count = ours.pool("count", list(paths), WORKERS, module="sharing_work", finalizer="counted")
        finals = Reference("results", (finals_of("count"),))
        merge = ours.process("merge", "merged", module="sharing_work", args=(finals,), needs="count")
        began = time.perf_counter()
        with ours.ran(count, merge, start_method=start_method) as log:
            return checked(time.perf_counter() - began, log.value_of("merge"), merged(size))


def counters_peer(contender: str, start_method: StartMethod, size: int) -> float:
    from benchmarks import sharing_peers

    _import_peer(contender)
    with documents(size) as paths:
        run = getattr(sharing_peers, f"counters_{contender}")
        return checked(*timed(lambda: run(start_method, paths, WORKERS)), merged(size))


# -- messages


def queue_mprun(start_method: StartMethod, maxsize: int, size: int) -> float:
    from benchmarks import ours
    from mprun.plan.plan import SharedThing

    rows = shared_thing("rows")
    producer = ours.process("producer", "put_all", module="sharing_work", args=(rows, size))
    consumer = ours.process("consumer", "add_up", module="sharing_work", args=(rows,))
    thing = SharedThing("rows", "Queue", (maxsize,) if maxsize else ())
    began = time.perf_counter()
    with ours.ran(producer, consumer, start_method=start_method, shared=[thing]) as log:
        seconds = time.perf_counter() - began
        return checked(seconds, log.value_of("consumer"), counted(size))


def queue_peer(start_method: StartMethod, maxsize: int, size: int) -> float:
    from benchmarks import sharing_peers

    _import_peer("by_hand")
    return checked(*timed(lambda: sharing_peers.queue_by_hand(start_method, maxsize, size)), counted(size))


def counted(size: int) -> list[int]:
    return [size, sum(range(size))]


# -- the table


def by_start_method(contenders: Mapping[str, Callable[[StartMethod, int], float]]) -> dict[str, Contender]:
    """Each of them with each start method: `mprun, fork`."""
    return {
        f"{name}, {start_method}": partial(contender, start_method)
        for start_method in START_METHODS
        for name, contender in contenders.items()
    }


def at_worst(factor: float, against: str, text: str) -> Goal:
    """mprun is to take no more than `factor` times as long as `against`, whatever the start method."""

    def judged(figures: Figures) -> float:
        return max(figures[f"mprun, {method}"] / figures[f"{against}, {method}"] for method in START_METHODS)

    return Goal(f"≤ {factor:g} × {text}", factor, False, judged)


def _queue(name: str, maxsize: int, words: str) -> Case:
    def mprun(start_method: StartMethod, size: int) -> float:
        return queue_mprun(start_method, maxsize, size)

    def by_hand(start_method: StartMethod, size: int) -> float:
        return queue_peer(start_method, maxsize, size)

    return Case(
        name,
        f"100 k small messages from one process to another, {words}",
        100_000,
        by_start_method({"mprun": mprun, "by hand": by_hand}),
        at_worst(1, "by hand", "multiprocessing.Queue"),
    )


SHARING_CASES = [
    Case(
        "shared-array",
        "an array of 200 MB from a file, read by 1,000 tasks",
        LARGE,
        by_start_method(
            {
                "mprun": lambda method, size: array_mprun(method, "file", size),
                "mprun (numpy not imported yet)": lambda method, size: array_mprun(
                    method, "file", size, imported=False
                ),
                "mprun (a copy that can be written)": lambda method, size: array_mprun(method, "array", size),
                "mprun (an object)": lambda method, size: array_mprun(method, "object", size),
                "mpire": partial(array_peer, "mpire"),
                "by hand": partial(array_peer, "by_hand"),
            }
        ),
        at_worst(1.1, "mpire", "mpire's shared objects"),
    ),
    Case(
        "initializer",
        "500 tasks on 2 workers that each take 0.5 s to set up",
        500,
        by_start_method(
            {"mprun": table_mprun, "mpire": partial(table_peer, "mpire"), "by hand": partial(table_peer, "by_hand")}
        ),
        at_worst(1, "mpire", "mpire"),
    ),
    Case(
        "counting",
        "the words of 2,000 documents, counted in each of 2 workers and merged at the end",
        2_000,
        by_start_method(
            {
                "mprun": counters_mprun,
                "mpire": partial(counters_peer, "mpire"),
                "by hand": partial(counters_peer, "by_hand"),
            }
        ),
        at_worst(1, "mpire", "mpire with worker_state and worker_exit"),
    ),
    _queue("queue", 0, "without bound"),
    _queue("queue-bounded", 1_000, "at most 1,000 of them under way"),
]
