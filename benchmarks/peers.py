"""One adapter a peer: the same work, given to it as its documentation says, with its workers started and ended inside.

All take `forkserver`, except loky and joblib: their workers come from a fork and exec of their own.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

Function = Callable[[Any], Any]

START_METHOD: Literal["forkserver"] = "forkserver"
CHUNK = 64  # items, where a peer has no sensible size of its own

CONTEXT = multiprocessing.get_context(START_METHOD)


def pool_map(function: Function, items: Iterable[Any], workers: int) -> list[Any]:
    with CONTEXT.Pool(workers) as pool:
        return pool.map(function, items)


def executor(function: Function, items: Iterable[Any], workers: int) -> list[Any]:
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(workers, mp_context=CONTEXT) as pool:
        return list(pool.map(function, items, chunksize=CHUNK))


def joblib(function: Function, items: Iterable[Any], workers: int) -> list[Any]:
    from joblib import Parallel, delayed

    return Parallel(n_jobs=workers)(delayed(function)(item) for item in items)


def loky(function: Function, items: Iterable[Any], workers: int) -> list[Any]:
    from loky import ProcessPoolExecutor

    with ProcessPoolExecutor(workers) as pool:
        return list(pool.map(function, items, chunksize=CHUNK))


def pebble(function: Function, items: Iterable[Any], workers: int) -> list[Any]:
    from pebble import ProcessPool

    with ProcessPool(workers, context=CONTEXT) as pool:
        return list(pool.map(function, items, chunksize=CHUNK).result())


def mpire(function: Function, items: Sequence[Any], workers: int) -> list[Any]:
    from mpire import WorkerPool

    with WorkerPool(workers, start_method=START_METHOD) as pool:
        return pool.map(function, items)


def start_join_loop(function: Callable[[], Any], count: int, width: int) -> None:
    """`count` Processes, at most `width` at once, as one would write it by hand."""
    from multiprocessing.connection import wait

    running: dict[int, Any] = {}
    started = 0
    while started < count or running:
        while started < count and len(running) < width:
            process = CONTEXT.Process(target=function)
            process.start()
            running[process.sentinel] = process
            started += 1
        for sentinel in wait(running):
            running.pop(sentinel).join()


def import_peer(name: str) -> None:
    """Import what adapter `name` uses, so that it isn't part of what is measured."""
    packages = {"executor": "concurrent.futures.process", "pool_map": "multiprocessing.pool"}
    __import__(packages.get(name, name))


def drain(results: Iterable[Any]) -> None:
    deque(results, maxlen=0)
