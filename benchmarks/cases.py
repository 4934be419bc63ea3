"""The table of what is measured: each row with its contenders, what it is held against, and how it is judged.

A contender is a function of the row's size that does the work and returns one figure, the lower the better: seconds
unless the row says otherwise. Each runs in a fresh interpreter (`benchmarks.measure`).
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import work
from benchmarks.case import MEGA, Case, Goal, own_peak, times_as_fast, times_as_long
from benchmarks.format_cases import FORMAT_CASES
from benchmarks.sharing_cases import SHARING_CASES

WORKERS = 2


# -- how a contender is measured


def timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def peer(name: str, function: Callable[[Any], Any], size: int) -> float:
    from benchmarks import peers

    peers.import_peer(name)
    adapter = getattr(peers, name)
    return timed(lambda: adapter(function, range(size), WORKERS))


def mprun(function: str, log_tasks: str, size: int) -> float:
    from benchmarks import ours

    began = time.perf_counter()
    with ours.ran(ours.pool(function, size, WORKERS), log_tasks=log_tasks):  # type: ignore[arg-type]
        return time.perf_counter() - began


def floor(logged: bool, size: int) -> float:
    from benchmarks import floor

    if not logged:
        return timed(lambda: floor.run(work.square, size, WORKERS, log=None))
    with tempfile.TemporaryFile() as log:
        return timed(lambda: floor.run(work.square, size, WORKERS, log=log))


# -- a round trip


def round_trip_mprun(size: int) -> float:
    """µs from one task's result to the next one's, as the log has them. mprun has no call for a single task: this is a
    pool of one worker whose batches are of one task, none handed out ahead, each result logged."""
    from benchmarks import ours
    from mprun.engines.local import pool as local
    from mprun.engines.local.sizing import Sizer

    class OneAtATime(Sizer):
        def next(self, left: int | None) -> int:
            return 1

        @property
        def wants_ahead(self) -> bool:
            return False

    local.Sizer = OneAtATime  # type: ignore[misc]
    with ours.ran(ours.pool("square", size, 1, call="imap")) as log:
        times = [_seconds(result["ts"]) for result in log.results()]
    return (times[-1] - times[0]) / (len(times) - 1) * 1e6


def round_trip_pool(size: int) -> float:
    """µs for one `Pool.apply` to a worker that is there and idle."""
    from benchmarks import peers

    with peers.CONTEXT.Pool(1) as pool:
        pool.apply(work.square, (1,))
        return timed(lambda: [pool.apply(work.square, (number,)) for number in range(size)]) / size * 1e6


def _seconds(timestamp: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(timestamp).timestamp()


# -- a head-heavy load

LONG, SHORT, NAPPERS = 0.1, 0.002, 4


def naps(size: int) -> list[float]:
    """One twentieth of `size` long, the others short, the long ones first."""
    return [LONG] * (size // 20) + [SHORT] * (size - size // 20)


def ideal(size: int) -> float:
    every = naps(size)
    return max(math.fsum(every) / NAPPERS, max(every))


def head_heavy_mprun(size: int) -> float:
    from benchmarks import ours

    with ours.ran(ours.pool("nap", list(naps(size)), NAPPERS)) as log:
        return _makespan([result["result"] for result in log.results()])


def head_heavy_peer(name: str, size: int) -> float:
    from benchmarks import peers

    peers.import_peer(name)
    return _makespan(getattr(peers, name)(work.nap, naps(size), NAPPERS))


def _makespan(spans: Sequence[Sequence[float]]) -> float:
    """Seconds from the first task's beginning to the last one's end: how evenly it was shared out, without start-up."""
    return max(end for _, end in spans) - min(began for began, _ in spans)


# -- arrays

ARRAY = 8 * MEGA


def arrays_mprun(size: int) -> float:
    from benchmarks import ours

    began = time.perf_counter()
    with ours.ran(ours.pool("size", ours.ArraySource(size, ARRAY), WORKERS)):  # type: ignore[arg-type]
        return time.perf_counter() - began


def arrays_pool(size: int) -> float:
    from benchmarks import ours, peers

    arrays = ours.arrays(size, ARRAY)
    return timed(lambda: peers.pool_map(work.size, arrays, WORKERS))


def arrays_back_mprun(size: int) -> float:
    from benchmarks import ours

    began = time.perf_counter()
    with ours.ran(ours.pool("brighter", ours.ArraySource(size, ARRAY), WORKERS, keeps=True)) as logged:  # type: ignore[arg-type]
        _read_all(logged.large_values("brighter"), size)
        return time.perf_counter() - began


def arrays_back_pool(size: int) -> float:
    from benchmarks import ours, peers

    arrays = ours.arrays(size, ARRAY)
    return timed(lambda: _read_all(peers.pool_map(work.brighter, arrays, WORKERS), size))


def _read_all(arrays: Iterable[Any], number: int) -> None:
    """Look at each array that came back."""
    if sum(int(array[-1]) for array in arrays) != number:
        raise RuntimeError("not all arrays came back")


# -- a whole program

ROOT = Path(__file__).parent.parent


def program_mprun(size: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        return _program([sys.executable, "-m", "mprun", "pool_map.yaml"], {"MPRUN_RUNS_DIR": folder})


def program_script(size: int) -> float:
    return _program([sys.executable, str(ROOT / "benchmarks" / "bare_pool.py")], {})


def _program(command: list[str], more: dict[str, str]) -> float:
    """Seconds that a program takes from its start to its end, as whoever started it sees them."""
    told = {"env": {**os.environ, **more}, "cwd": ROOT / "workflows"}
    return timed(lambda: subprocess.run(command, check=True, capture_output=True, **told))


# -- memory


def peak_memory(log_tasks: str, factor: int, size: int) -> float:
    """MB that the parent has held at most (this process is that parent)."""
    from benchmarks import ours

    with ours.ran(
        ours.pool("square", factor * size, WORKERS, call="imap_unordered"),
        log_tasks=log_tasks,  # type: ignore[arg-type]
    ):
        return own_peak() / MEGA


# -- the log


def verifying(size: int) -> float:
    """Seconds that verifying 100 MB of a log takes, of one with `size` results."""
    from benchmarks import ours
    from mprun.log.verifying.verify import verify
    from mprun.runs.find import find_run

    with ours.ran(ours.pool("square", size, WORKERS)) as log:
        run = find_run(str(log.path), "")
        began = time.perf_counter()
        verdict = verify(run)
        seconds = time.perf_counter() - began
        if verdict.word != "VERIFIED":
            raise RuntimeError(f"the log is {verdict.word}")
        return seconds / (verdict.bytes / 1e8)


# -- Processes

WIDTH = 8


def processes_mprun(size: int) -> float:
    from benchmarks import ours

    steps = [ours.process(f"nothing-{number}", "nothing") for number in range(size)]
    began = time.perf_counter()
    with ours.ran(*steps, max_parallel=WIDTH):
        return time.perf_counter() - began


def processes_loop(size: int) -> float:
    from benchmarks import peers

    return timed(lambda: peers.start_join_loop(work.nothing, size, WIDTH))


# -- the table

CHUNKED_PEERS = ("joblib", "loky", "executor", "mpire", "pebble")


def _memory(log_tasks: str, words: str) -> Case:
    return Case(
        f"memory-{log_tasks}",
        f"parent's peak memory, imap_unordered over 1 M and over 10 M items, {words}",
        1_000_000,
        {"10 M": partial(peak_memory, log_tasks, 10), "1 M": partial(peak_memory, log_tasks, 1)},
        Goal("the same within 16 MB", 16, False, lambda figures: figures["10 M"] - figures["1 M"], " MB apart"),
        unit="MB",
        digits=1,
    )


CASES = [
    Case(
        "square-all",
        "1 M × square, every result logged by mprun, nothing by the others",
        1_000_000,
        {
            "mprun": partial(mprun, "square", "all"),
            **{name: partial(peer, name, work.square) for name in CHUNKED_PEERS},
            "pool_map": partial(peer, "pool_map", work.square),
        },
        times_as_fast(2, CHUNKED_PEERS, "the fastest of joblib, loky, ProcessPoolExecutor, mpire, pebble"),
    ),
    Case(
        "square-failures",
        "1 M × square, only failures logged",
        1_000_000,
        {"mprun": partial(mprun, "square", "failures"), "pool_map": partial(peer, "pool_map", work.square)},
        times_as_fast(1, ["pool_map"], "Pool.map"),
    ),
    Case(
        "busy",
        "20,000 tasks of 50 µs, every result logged",
        20_000,
        {"mprun": partial(mprun, "busy", "all"), "pool_map": partial(peer, "pool_map", work.busy)},
        times_as_fast(1, ["pool_map"], "Pool.map"),
    ),
    Case(
        "round-trip",
        "one task at a time, round trip to an idle worker",
        10_000,
        {"mprun": round_trip_mprun, "Pool.apply": round_trip_pool},
        times_as_long(1, "Pool.apply", "Pool.apply"),
        unit="µs",
        digits=1,
    ),
    Case(
        "head-heavy",
        "20 tasks of 100 ms, then 380 of 2 ms, 4 workers: makespan",
        400,
        {
            "mprun": head_heavy_mprun,
            "ideal": ideal,
            "pool_map": partial(head_heavy_peer, "pool_map"),
            "joblib": partial(head_heavy_peer, "joblib"),
        },
        times_as_long(1.10, "ideal", "the ideal makespan"),
    ),
    Case(
        "arrays",
        "200 numpy arrays of 8 MB, there only",
        200,
        {"mprun": arrays_mprun, "pool_map": arrays_pool},
        times_as_fast(1.5, ["pool_map"], "Pool.map"),
    ),
    Case(
        "arrays-back",
        "200 numpy arrays of 8 MB, there and back",
        200,
        {"mprun": arrays_back_mprun, "pool_map": arrays_back_pool},
        times_as_fast(1.5, ["pool_map"], "Pool.map"),
    ),
    Case(
        "program",
        "`mprun workflows/pool_map.yaml`, whole process",
        1,
        {"mprun": program_mprun, "bare script": program_script},
        times_as_long(2.5, "bare script", "the bare script"),
    ),
    _memory("failures", "only failures logged"),
    _memory("all", "every result logged"),
    Case(
        "verify",
        "verifying the log of 1 M tasks",
        1_000_000,
        {"mprun": verifying},
        Goal("≥ 300 MB/s", 300, True, lambda figures: 100 / figures["mprun"], " MB/s"),
        unit="s for 100 MB",
    ),
    Case(
        "processes",
        "1,000 short Processes, 8 at once",
        1_000,
        {"mprun": processes_mprun, "start/join loop": processes_loop},
        times_as_fast(1, ["start/join loop"], "a hand-written start/join loop"),
    ),
    Case(
        "floor",
        "1 M × square over raw pipes: the cheapest thing that could work",
        1_000_000,
        {
            "pipes, a line a task": partial(floor, True),
            "mprun, a line a task": partial(mprun, "square", "all"),
            "pipes, nothing logged": partial(floor, False),
            "mprun, only failures logged": partial(mprun, "square", "failures"),
        },
        None,
    ),
    *FORMAT_CASES,
    *SHARING_CASES,
]
