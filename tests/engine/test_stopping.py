"""Stopping a run from outside: with signals, at a terminal, at any moment, and by killing it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import multiprocessing
import os
import pickle
import pty
import random
import resource
import signal
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import environment
from log_checks import Event, outcomes
from plan_builders import pool, process

from engine.harness import CHILD_STARTED, HERE, assert_gone, read_log, wait_for, zoo_plan
from mprun.log.writer import open_log
from mprun.plan.plan import Plan, StartMethod, Step
from mprun.running.run import run_plan
from mprun.sources.table import LinesSource

DRIVER = str(Path(__file__).with_name("driver.py"))
SHELL = str(Path(__file__).with_name("shell.py"))


class Running:
    """A run in a program of its own."""

    def __init__(self, plan: Plan, folder: Path, under: tuple[str, ...] = (), **options: Any) -> None:
        self.log = folder / "events.jsonl"
        plan_file = folder / "plan.pickle"
        plan_file.write_bytes(pickle.dumps(plan))
        self.program = subprocess.Popen(
            [*under, sys.executable, "-P", DRIVER, str(plan_file), str(self.log)],
            stderr=subprocess.PIPE,
            start_new_session=True,
            **{"env": environment(), **options},
        )

    def signal(self, number: int) -> None:
        self.program.send_signal(number)

    def end(self) -> tuple[int, str]:
        """The exit code, and what stood on stderr."""
        _, stderr = self.program.communicate(timeout=30)
        return self.program.returncode, stderr.decode()

    def children(self) -> list[int]:
        """The pids of the children that the log knows of so far."""
        return [event["pid"] for event in events_so_far(self.log) if event["event"] in CHILD_STARTED]


CHILD_JOINED = ("process.joined", "worker.joined")


def events_so_far(log: Path) -> list[Event]:
    lines = log.read_bytes().split(b"\n")[:-1] if log.exists() else []
    return [json.loads(line) for line in lines]


@pytest.fixture
def start(tmp_path: Path, start_method: StartMethod) -> Iterator[Callable[..., Running]]:
    """Starts a run of some steps; it is killed if it still runs at the end of the test."""
    started: list[Running] = []

    def start_it(*steps: Step, grace_period: float = 5.0, **options: Any) -> Running:
        plan = replace(zoo_plan(*steps, start_method=start_method), grace_period=grace_period)
        started.append(Running(plan, tmp_path, **options))
        return started[-1]

    yield start_it
    for running in started:
        end_session(running.program.pid)
        running.program.communicate()


def end_session(session: int) -> None:
    """Kill what is left of a run and of the shell that it ran under."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.getsid(int(folder.name)) == session:
                os.kill(int(folder.name), signal.SIGKILL)


def wait_for_files(*paths: Path) -> None:
    for path in paths:
        wait_for(path.exists)


def stopped_log(running: Running, code: int) -> list[Event]:
    """The log of a run that was stopped: it is whole, says `code`, nothing is left, nothing stood on stderr."""
    assert running.end() == (code, "")
    events = read_log(running.log)
    assert events[-1]["exit_code"] == code
    assert events[-1]["outcome"] == "interrupted"
    assert_gone(running.children())
    return events


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)])
def test_one_signal_drains(start: Any, engine: str, tmp_path: Path, number: int, code: int) -> None:
    """What is at work ends, what isn't begun is cancelled, what needs it is skipped."""
    working = [str(tmp_path / f"working-{i}") for i in range(6)]
    running = start(
        pool(
            "pool",
            "zoo:says_when_it_works",
            [(path, 0.3) for path in working],
            call="starmap",
            engine=engine,
            chunksize=1,
            folder=HERE,
        ),
        process("after", "zoo:square", 1, needs=("pool",), folder=HERE),
    )
    wait_for_files(Path(working[0]))
    running.signal(number)
    events = stopped_log(running, code)
    assert outcomes(events, "pool")[0] == "returned"
    assert "cancelled" in outcomes(events, "pool")
    assert set(outcomes(events, "pool")) == {"returned", "cancelled"}
    assert [event["step"] for event in events if event["event"] == "step.skipped"] == ["after"]


def test_the_grace_period_ends(start: Any, engine: str, tmp_path: Path) -> None:
    """A task that goes on past the grace period gets SIGTERM; one that is deaf to it is killed."""
    quiet, deaf = tmp_path / "quiet", tmp_path / "deaf"
    running = start(
        process("quiet", "zoo:says_when_it_works", str(quiet), 1000, folder=HERE),
        pool("deaf", "zoo:deaf", [str(deaf)], engine=engine, processes=1, folder=HERE),
        grace_period=0.1,
    )
    wait_for_files(quiet, deaf)
    running.signal(signal.SIGINT)
    events = stopped_log(running, 130)
    signals = {event["step"]: event["signal"] for event in events if event["event"] in CHILD_JOINED}
    assert signals == {"quiet": "SIGTERM", "deaf": "SIGKILL"}
    assert outcomes(events, "quiet") + outcomes(events, "deaf") == ["cancelled", "cancelled"]


@pytest.mark.parametrize("times", [2, 3])
def test_further_signals_do_not_wait(start: Any, engine: str, tmp_path: Path, times: int) -> None:
    """The second Ctrl-C terminates at once, the third kills."""
    path = tmp_path / "working"
    target = "zoo:says_when_it_works" if times == 2 else "zoo:deaf"
    args = (str(path), 1000) if times == 2 else (str(path),)
    running = start(pool("pool", target, [args], call="starmap", engine=engine, folder=HERE), grace_period=1000.0)
    wait_for_files(path)
    for phase in ("draining", "terminating", "killing")[:times]:
        running.signal(signal.SIGINT)
        wait_for(lambda phase=phase: any(event.get("phase") == phase for event in events_so_far(running.log)))
    assert outcomes(stopped_log(running, 130), "pool") == ["cancelled"]


def test_a_daemon_does_not_hold_up_a_stop(start: Any, tmp_path: Path) -> None:
    """Once the ordinary steps have ended, a daemon isn't given the rest of the grace period."""
    path = tmp_path / "working"
    running = start(
        process("daemon", "zoo:nap", 1000, daemon=True, folder=HERE),
        process("short", "zoo:says_when_it_works", str(path), 0.2, folder=HERE),
        grace_period=1000.0,
    )
    wait_for_files(path)
    running.signal(signal.SIGINT)
    assert outcomes(stopped_log(running, 130), "short") == ["returned"]


@pytest.mark.parametrize("seed", range(3))
def test_ctrl_c_at_any_moment(start: Any, engine: str, tmp_path: Path, seed: int) -> None:
    """A Ctrl-C goes to the whole foreground group, booting children too. Whenever it comes: no traceback, whole log."""
    running = start(
        pool("pool", "zoo:square", 2000, engine=engine, processes=4, chunksize=1, folder=HERE),
        process("process", "zoo:nap", 0.3, folder=HERE),
        grace_period=0.5,
    )
    wait_for(lambda: events_so_far(running.log))
    moment = random.Random(seed).uniform(0, 0.3)
    try:
        running.program.wait(moment)
    except subprocess.TimeoutExpired:
        os.killpg(running.program.pid, signal.SIGINT)
    code, stderr = running.end()
    assert stderr == ""
    assert code in (0, 130)
    assert read_log(running.log)[-1]["exit_code"] == code
    assert_gone(running.children())


def test_at_a_terminal(start: Any, engine: str, tmp_path: Path) -> None:
    """Ctrl-Z stops the children too, `fg` lets them go on, Ctrl-C ends the run."""
    path = tmp_path / "working"
    go_on = tmp_path / "go-on"
    ours, theirs = pty.openpty()
    running = start(
        pool(
            "pool",
            "zoo:says_when_it_works",
            [(str(path), 1000)],
            call="starmap",
            engine=engine,
            processes=1,
            folder=HERE,
        ),
        under=(sys.executable, "-P", SHELL, str(go_on)),
        stdin=theirs,
        stdout=theirs,
        preexec_fn=take_terminal,
        grace_period=0.2,
    )
    try:
        worker = int(wait_for(lambda: path.exists() and path.read_text()))
        mprun = events_so_far(running.log)[0]["pid"]
        os.write(ours, b"\x1a")
        wait_for(lambda: state(mprun) == "T" and state(worker) == "T")
        go_on.touch()
        wait_for(lambda: state(mprun) != "T" and state(worker) != "T")
        os.write(ours, b"\x03")
        assert outcomes(stopped_log(running, 130), "pool") == ["cancelled"]
    finally:
        os.close(ours)
        os.close(theirs)


def test_a_child_that_asks_for_a_password(start: Any) -> None:
    """It has no terminal to ask at, and is told so: reading one from the background would stop it for good."""
    ours, theirs = pty.openpty()
    running = start(
        process("asks", "zoo:asks_for_a_password", folder=HERE),
        pool("runs", "zoo:asks_for_a_password", call="apply", processes=1, folder=HERE),
        stdin=theirs,
        preexec_fn=take_terminal,
    )
    try:
        assert running.end() == (0, "")
        results = [event["result"] for event in read_log(running.log) if event["event"].endswith(".result")]
        assert results == ["OSError", "OSError"]
    finally:
        os.close(ours)
        os.close(theirs)


def take_terminal() -> None:
    """In the program: make its standard input the controlling terminal of its session."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_nothing_outlives_mprun(start: Any, engine: str, tmp_path: Path) -> None:
    """When mprun itself is killed, each child and what it started is gone within a second."""
    paths = [tmp_path / name for name in ("process", "pool", "grandchild")]
    running = start(
        process("process", "zoo:deaf", str(paths[0]), folder=HERE),
        pool("pool", "zoo:deaf", [str(paths[1])], engine=engine, processes=1, folder=HERE),
        process("parent", "zoo:with_grandchild", str(paths[2]), folder=HERE),
    )
    wait_for_files(*paths)
    children = wait_for(lambda: len(running.children()) == 3 and running.children())
    running.program.kill()
    running.program.wait()
    assert_gone(children, limit=1.0)


@pytest.mark.parametrize("told", [2, 3])
def test_a_fault_of_mprun_leaves_nothing(
    tmp_path: Path, start_method: StartMethod, engine: str, told: int, warm: None
) -> None:
    """An exception within the loop ends every child, be it one that was not told of yet, and is raised."""

    class Faulty:
        pids: list[int] = []  # noqa: RUF012 -- one test, one class

        def event(self, event: Event) -> None:
            if event["event"] in CHILD_STARTED:
                self.pids.append(event["pid"])
                if len(self.pids) == told:
                    raise ZeroDivisionError

        def tick(self) -> None:
            """It is shown nowhere."""

    plan = zoo_plan(
        process("process", "zoo:nap", 1000, folder=HERE),
        pool("pool", "zoo:nap", [1000, 1000], engine=engine, folder=HERE),
        start_method=start_method,
    )
    with pytest.raises(ZeroDivisionError):
        run_plan(plan, "by-hand", open_log(str(tmp_path / "log")), [Faulty()], print)
    wait_for(lambda: not multiprocessing.active_children())
    assert_gone(Faulty.pids)


def test_children_of_one_who_ignores_them(start: Any, engine: str) -> None:
    """Started with SIGCHLD ignored (a daemon may do so), mprun still knows how its children end."""
    running = start(
        process("process", "zoo:end", "_exit 7", folder=HERE),
        pool("pool", "zoo:square", 3, engine=engine, folder=HERE),
        preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN),
    )
    assert running.end() == (1, "")
    events = read_log(running.log)
    assert [event["exitcode"] for event in events if event["event"] == "process.joined"] == [7]
    assert outcomes(events, "pool") == ["returned"] * 3


@pytest.mark.parametrize("which", ["idle", "all"])
def test_workers_killed_from_outside(start: Any, engine: str, tmp_path: Path, which: str) -> None:
    """An idle worker's death costs `local` nothing; any costs a `multiprocessing.Pool` all that has no result."""
    path = tmp_path / "working"
    calls = [("/dev/null", 0), (str(path), 0.5)]
    running = start(
        pool("pool", "zoo:says_when_it_works", calls, call="starmap", engine=engine, chunksize=1, folder=HERE)
    )
    busy = int(wait_for(lambda: path.exists() and path.read_text()))
    wait_for(lambda: outcomes(events_so_far(running.log), "pool"))
    for worker in running.children():
        if which == "all" or worker != busy:
            with contextlib.suppress(ProcessLookupError):  # it has retired already
                os.kill(worker, signal.SIGKILL)
    code, stderr = running.end()
    assert stderr == ""
    events = read_log(running.log)
    if which == "all":
        assert outcomes(events, "pool") == ["returned", "lost"]
    elif engine == "local":
        assert outcomes(events, "pool") == ["returned", "returned"]
    assert code == (1 if "lost" in outcomes(events, "pool") else 0)
    assert_gone(running.children())


def test_items_that_never_come(start: Any, engine: str, tmp_path: Path) -> None:
    """A pipe that nobody writes to is refused as a source of lines: nothing waits for it."""
    fifo = tmp_path / "items"
    os.mkfifo(fifo)
    running = start(pool("pool", "zoo:length", LinesSource(str(fifo)), engine=engine, folder=HERE))
    assert running.end() == (1, "")
    [finished] = [event for event in read_log(running.log) if event["event"] == "step.finished"]
    assert "is not a regular file" in finished["error"]


def test_children_that_cannot_be_started(start: Any, engine: str) -> None:
    """Without the means to start a child (here: its shared memory) a step fails with the reason; it doesn't wait."""
    running = start(
        process("process", "zoo:square", 1, folder=HERE),
        pool("pool", "zoo:square", 3, engine=engine, folder=HERE),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000)),
    )
    assert running.end() == (1, "")
    events = read_log(running.log)
    errors = [event["error"] for event in events if event["event"] == "step.finished"]
    assert len(errors) == 2
    assert all("could not be started" in error for error in errors)
    assert outcomes(events, "process") == ["lost"]
    assert len(outcomes(events, "pool")) == 3


def test_a_pool_makes_do_with_the_workers_that_can_be_started(start: Any) -> None:
    """Where the limit of open files is low, fewer workers do all the work."""
    running = start(
        pool("pool", "zoo:square", 50, processes=40, chunksize=1, folder=HERE),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (60, 60)),
    )
    assert running.end() == (0, "")
    assert outcomes(read_log(running.log), "pool") == ["returned"] * 50
    assert 0 < len(running.children()) < 40
