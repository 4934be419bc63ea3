"""Chaos: a run whose workers are killed and stopped at random, or which is interrupted at a random moment.

Whatever happens, it ends in time, each task has its result once, the log is whole, and no process is left. The short
form is in `test_chaos.py`, the long one in `benchmarks/chaos.py`.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from log_checks import Event, check_complete, results, without_seals
from plan_builders import plan_of, pool

from mprun.plan.child_spec import Retries
from mprun.plan.plan import Limits, Plan

HERE = Path(__file__).parent
DRIVER = str(HERE / "engine" / "driver.py")
STEP = "squares"

TIMEOUT = 1.0  # seconds for one task, which takes 2 ms
GRACE_PERIOD = 0.5  # seconds
LEFTOVER_TIME = 5.0  # seconds after the run's end in which a fork server may still end itself


@dataclass(frozen=True)
class Storm:
    """A run of `tasks` on `workers`, one of which is struck every `interval` seconds, `strikes` times.

    A strike is SIGKILL or, in a share of `stops`, SIGSTOP. It may come at any time of the worker's life.
    """

    tasks: int
    strikes: int
    seed: int
    stops: float = 0.0
    target: str = "square_slowly"
    workers: int = 4
    interval: float = 0.05
    time_limit: float = 120.0


@dataclass(frozen=True)
class Survived:
    """What a storm did. `retried` counts attempts that were followed by another one, by outcome."""

    kills: int
    stops: int
    retried: dict[str, int]
    workers: int
    duration: float


def survive(storm: Storm, folder: Path) -> Survived:
    """Run through `storm`; fails where anything is lost, doubled, left behind or hangs."""
    chance = random.Random(storm.seed)
    retries = Retries(count=storm.strikes, on=("lost", "timed_out"))
    began = time.monotonic()
    with Running(
        _plan(storm.target, storm.tasks, storm.workers, Limits(timeout=TIMEOUT, retries=retries)), folder
    ) as running:
        kills, stops = _strike(storm, running, chance)
        code = running.wait(storm.time_limit)
        duration = time.monotonic() - began
        assert code == 0, running.complaints()
        events = running.finished_log()
    values = {result["task"]: result["result"] for result in results(events, STEP)}
    assert values == {number: number * number for number in range(storm.tasks)}
    retried = _retried(events)
    assert retried.get("lost", 0) <= kills, "a death costs one attempt of one task"
    return Survived(kills, stops, retried, _count(events, "worker.started"), duration)


def interrupt(tasks: int, after: float, folder: Path) -> str:
    """Ctrl-C `after` seconds from the run's beginning: it ends as it should; the last phase of the stop is returned."""
    with Running(_plan("square_slowly", tasks, 4, Limits()), folder) as running:
        running.wait_until_begun()
        time.sleep(after)
        running.ctrl_c()
        code = running.wait(30.0)
        assert (code, running.complaints()) == (130, "")
        events = running.finished_log()
    assert (events[-1]["outcome"], events[-1]["exit_code"]) == ("interrupted", 130)
    return [event["phase"] for event in events if event["event"] == "stop.requested"][-1]


def _plan(target: str, tasks: int, workers: int, limits: Limits) -> Plan:
    step = pool(STEP, f"chaos_work:{target}", tasks, call="imap_unordered", processes=workers, folder=str(HERE))
    return replace(plan_of(replace(step, limits=limits), folder=HERE), grace_period=GRACE_PERIOD)


def _strike(storm: Storm, running: Running, chance: random.Random) -> tuple[int, int]:
    """Strike until that has been done often enough or the run has ended; how many were killed, and stopped."""
    kills = stops = 0
    running.wait_until_begun()
    next_strike = time.monotonic() + storm.interval
    while kills + stops < storm.strikes and not running.has_ended():
        time.sleep(max(0.0, next_strike - time.monotonic()))
        next_strike = time.monotonic() + storm.interval
        stop = chance.random() < storm.stops
        victims = running.workers()
        if victims and _send(chance.choice(victims), signal.SIGSTOP if stop else signal.SIGKILL):
            stops, kills = stops + stop, kills + (not stop)
    return kills, stops


def _send(pid: int, number: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
        return True
    return False


def _retried(events: Sequence[Event]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for event in events:
        if event["event"] == "task.retried":
            counts[event["outcome"]] = counts.get(event["outcome"], 0) + 1
    return counts


def _count(events: Sequence[Event], name: str) -> int:
    return sum(event["event"] == name for event in events)


class Running:
    """A plan that runs as a program in a session of its own, followed by its log. Use as a context manager."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self._log = folder / "events.jsonl"
        self._stderr = folder / "stderr"
        self._read = 0  # bytes of the log
        self._workers: dict[int, int] = {}  # pids of the living, by number
        self._events: set[str] = set()
        plan_file = folder / "plan.pickle"
        plan_file.write_bytes(pickle.dumps(plan))
        with self._stderr.open("wb") as stderr:
            self._program = subprocess.Popen(
                [sys.executable, "-P", DRIVER, str(plan_file), str(self._log)], stderr=stderr, start_new_session=True
            )

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        """Whatever is left after a failure ends here."""
        for pid in _session(self._program.pid):
            _send(pid, signal.SIGKILL)
        self._program.wait()
        for path in (self._log, self._stderr):
            path.unlink(missing_ok=True)

    def wait_until_begun(self) -> None:
        until = time.monotonic() + 30
        while "run.started" not in self._events:
            self._follow()
            assert time.monotonic() < until, "it doesn't begin"
            assert not self.has_ended(), self.complaints()
            time.sleep(0.002)

    def has_ended(self) -> bool:
        return self._program.poll() is not None

    def wait(self, limit: float) -> int:
        """The exit code, which must come within `limit` seconds."""
        try:
            return self._program.wait(limit)
        except subprocess.TimeoutExpired:
            self._follow()
            raise AssertionError(f"it hangs; its living workers are {self._workers}") from None

    def ctrl_c(self) -> None:
        """As a terminal does it: to the whole foreground group."""
        os.killpg(self._program.pid, signal.SIGINT)

    def complaints(self) -> str:
        return self._stderr.read_text()

    def workers(self) -> list[int]:
        """The pids of the living workers, as far as the log tells."""
        self._follow()
        return list(self._workers.values())

    def finished_log(self) -> list[Event]:
        """The events of the finished run. The log must be whole, and no process may be left."""
        until = time.monotonic() + LEFTOVER_TIME
        while left := _session(self._program.pid):
            assert time.monotonic() < until, f"left behind: {left}"
            time.sleep(0.01)
        data = self._log.read_bytes()
        events = [json.loads(line) for line in data.splitlines()]
        check_complete(data)
        return without_seals(events)

    def _follow(self) -> None:
        for event in self._new_events():
            self._events.add(event["event"])
            match event["event"]:
                case "worker.started":
                    self._workers[event["worker"]] = event["pid"]
                case "worker.joined":
                    del self._workers[event["worker"]]

    def _new_events(self) -> Iterator[dict[str, Any]]:
        if not self._log.exists():
            return
        with self._log.open("rb") as log:
            log.seek(self._read)
            data = log.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._read += len(whole)
        yield from map(json.loads, whole.splitlines())


def _session(leader: int) -> list[int]:
    """The living processes of the session that `leader` began."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, _, _, session = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
            if int(session) == leader and state != "Z":
                found.append(int(folder.name))
    return found
