"""What takes over where the system lacks something: whole programs that lack it, their children too."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import environment
from log_checks import outcomes
from plan_builders import pool, process

from engine.harness import HERE, START_METHODS, assert_gone, read_log, wait_for, zoo_plan
from engine.test_stopping import Running, end_session, wait_for_files
from mprun.plan.plan import Limits, StartMethod, Step

# What is missing → the start methods that it can matter to: the last three are used by the parent alone.
MISSING: dict[str, tuple[StartMethod, ...]] = {
    "pidfd": START_METHODS,
    "memfd": START_METHODS,
    "F_SETSIG": START_METHODS,
    "epoll": ("fork",),
    "F_SETPIPE_SZ": ("fork",),
    "proc": ("fork", "forkserver"),
}

# In a mount namespace of its own, an empty folder in the place of /proc.
WITHOUT_PROC = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh")

Start = Callable[..., Running]


@pytest.fixture(params=[f"{missing}-{method}" for missing, methods in MISSING.items() for method in methods])
def start_without(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Start]:
    """Starts a run of some steps as a program on a system without the one or the other."""
    missing, _, method = request.param.partition("-")
    started: list[Running] = []

    def start_it(*steps: Step) -> Running:
        plan = replace(zoo_plan(*steps, start_method=method), grace_period=0.2)
        started.append(Running(plan, tmp_path, **_lacking(missing)))
        return started[-1]

    yield start_it
    for running in started:
        end_session(running.program.pid)
        running.program.communicate()


def _lacking(what: str) -> dict[str, Any]:
    """How a program is started that lacks it."""
    if what != "proc":
        return {"env": environment({"PYTHONPATH": f"{HERE}/without", "MPRUN_TEST_WITHOUT": what})}
    tried = subprocess.run([*WITHOUT_PROC, "true"], capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(f"/proc can't be hidden here: {tried.stderr.strip()}")
    return {"under": WITHOUT_PROC}


def test_every_task_has_its_outcome(start_without: Start) -> None:
    """Returns, exceptions, deaths and a timeout, in pools of both engines and in processes; nothing is left."""
    deaths = ["kill", "_exit 7", "half a frame", "grandchild"]
    hasty = pool("hasty", "zoo:sleeps_if", [(1000, 1, 0), (1000, 1, 1)], call="starmap", folder=HERE)
    running = start_without(
        pool("local", "zoo:end", ["ok", *deaths, "raise", "ok", "ok"], folder=HERE),
        pool("stdlib", "zoo:end", ["ok", "raise", "ok"], engine="stdlib", folder=HERE),
        pool("broken", "zoo:end", ["ok", "kill", "ok"], engine="stdlib", folder=HERE),
        replace(hasty, limits=Limits(timeout=0.3)),
        *(process(how.replace(" ", ""), "zoo:end", how, folder=HERE) for how in ("ok", "raise", "_exit 7", "kill")),
    )
    assert running.end() == (1, "")
    events = read_log(running.log)
    assert outcomes(events, "local") == ["returned", *["lost"] * 4, "raised", "returned", "returned"]
    assert outcomes(events, "stdlib") == ["returned", "raised", "returned"]
    assert outcomes(events, "broken")[1] == "lost"
    assert outcomes(events, "hasty") == ["returned", "timed_out"]
    ends = Counter(event["exitcode"] for event in events if event["event"] == "process.joined")
    assert ends == {0: 2, 7: 1, -9: 1}
    assert_gone(running.children())


def test_nothing_outlives_mprun(start_without: Start, tmp_path: Path) -> None:
    """When mprun itself is killed, each child and what it started is gone within a second."""
    paths = [tmp_path / name for name in ("local", "stdlib", "grandchild")]
    running = start_without(
        pool("local", "zoo:deaf", [str(paths[0])], processes=1, folder=HERE),
        pool("stdlib", "zoo:deaf", [str(paths[1])], engine="stdlib", processes=1, folder=HERE),
        process("parent", "zoo:with_grandchild", str(paths[2]), folder=HERE),
    )
    wait_for_files(*paths)
    children = wait_for(lambda: len(running.children()) == 3 and running.children())
    running.program.kill()
    running.program.wait()
    assert_gone(children, limit=1.0)
