"""Runs a plan of bad functions in this process, and holds against the log what is true of every run."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from log_checks import Event, check_complete, check_form, check_saved, check_sealed, outcomes, results, without_seals
from plan_builders import plan_of

from mprun.log.writer import open_log
from mprun.plan.plan import Plan, PoolStep, StartMethod, Step
from mprun.running.run import RunEnd, run_plan
from mprun.sinks.sink import Sink

START_METHODS: tuple[StartMethod, ...] = ("fork", "spawn", "forkserver")

HERE = str(Path(__file__).parent)
CHILD_STARTED = ("process.started", "worker.started", "source.started", "save.started")
LIMIT = 30  # seconds that any run here may take; the slowest takes three on an idle machine


@dataclass(frozen=True)
class Ran:
    """A run that has ended: what it said of itself, and its log."""

    end: RunEnd
    events: list[Event]

    def named(self, name: str) -> list[Event]:
        return [event for event in self.events if event["event"] == name]

    def one(self, name: str) -> Event:
        (event,) = self.named(name)
        return event

    def outcomes(self, step: str = "zoo") -> list[str]:
        return outcomes(self.events, step)

    def results(self, step: str = "zoo") -> list[Event]:
        """The results by index."""
        return sorted(results(self.events, step), key=lambda event: event.get("task", 0))

    def values(self, step: str = "zoo") -> list[Any]:
        return [result["result"] for result in self.results(step)]

    def printed(self, stream: str = "stdout") -> list[str]:
        return [event["text"] for event in self.named("output") if event["stream"] == stream]

    @property
    def children(self) -> list[int]:
        """The pids of all children that were started."""
        return [event["pid"] for event in self.events if event["event"] in CHILD_STARTED]


def run(plan: Plan, folder: Path, *sinks: Sink) -> Ran:
    """Run `plan` and check what must be true however it ends: in time, wholly logged, nothing left behind."""
    path = folder / "events.jsonl"
    before = open_files()
    began = time.monotonic()
    with no_noise():
        end = run_plan(plan, "by-hand", open_log(str(path)), sinks, _no_log_error)
    assert time.monotonic() - began < LIMIT
    ran = Ran(end, read_log(path))
    path.unlink()
    assert (ran.events[-1]["exit_code"], ran.events[-1]["outcome"]) == (end.exit_code, end.outcome)
    assert_gone(ran.children)
    if any(isinstance(step, PoolStep) and step.engine == "stdlib" for step in plan.steps):
        wait_for(lambda: open_files() <= before)  # a thread of the Pool's may be about to end
    assert open_files() <= before
    return ran


def read_log(path: Path) -> list[Event]:
    """The events of the finished log at `path`, which must be whole; its seals are left out."""
    data = path.read_bytes()
    events = [json.loads(line) for line in data.splitlines()]
    for event in events:
        check_form(event)
    check_sealed(data, events)
    check_complete(data)
    check_saved(events)
    return without_seals(events)


def zoo_plan(*steps: Step, start_method: StartMethod, **options: Any) -> Plan:
    return plan_of(*steps, start_method=start_method, folder=HERE, **options)


def open_files() -> set[str]:
    """Descriptors of this process with what they are of; what the start methods keep for good is opened before."""
    found = set()
    for fd in os.listdir("/proc/self/fd"):
        try:
            found.add(f"{fd} {os.readlink(f'/proc/self/fd/{fd}')}")
        except OSError:  # the listing's own
            continue
    return found


def assert_gone(pids: list[int], limit: float = 5.0) -> None:
    """No process of the groups that `pids` led is left, be it as a zombie."""
    until = time.monotonic() + limit
    while left := alive_in_groups(set(pids)):
        assert time.monotonic() < until, left
        time.sleep(0.005)


def alive_in_groups(groups: set[int]) -> list[str]:
    """What is known of each process in `groups`."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text()
        except OSError:
            continue
        state, parent, group = stat.rpartition(")")[2].split()[:3]
        forsaken = state == "Z" and int(parent) != os.getpid()  # its new parent, which is none of ours, has yet to look
        if int(group) in groups and not forsaken:
            found.append(stat)
    return found


def wait_for(what: Any, limit: float = 20.0) -> Any:
    """The first true answer of `what()`."""
    until = time.monotonic() + limit
    while not (answer := what()):
        assert time.monotonic() < until, "it didn't come"
        time.sleep(0.005)
    return answer


def kill_for_good(pid: int) -> None:
    """End a stray process of a test's own."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


@contextmanager
def no_noise() -> Iterator[None]:
    """Nothing may reach this process's own stderr: neither a child's traceback nor a thread's."""
    sys.stderr.flush()
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    before = os.dup(2)
    os.dup2(writer, 2)
    os.close(writer)
    try:
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)
        try:
            noise = os.read(reader, 64 * 1024)
        except BlockingIOError:
            noise = b""
        os.close(reader)
    assert noise.decode() == "", noise.decode()


def _no_log_error(reason: str) -> None:
    raise AssertionError(reason)
