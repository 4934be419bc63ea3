"""The kernel's out-of-memory killer at work: in a memory cgroup of the test's own, where one can be made."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from log_checks import Event
from plan_builders import pool, process

from engine.harness import HERE, read_log, wait_for
from engine.test_stopping import start  # noqa: F401 -- a fixture
from mprun.plan.plan import Limits

ENOUGH = 200 * 2**20  # bytes; for mprun and its children, not for one that is out of memory

# Where cgroups v1 and v2 have their cgroups, and the files of one that bound its memory and its swap.
HIERARCHIES = {
    "/sys/fs/cgroup/memory": {"memory.limit_in_bytes": ENOUGH, "memory.swappiness": 0},
    "/sys/fs/cgroup": {"memory.max": ENOUGH, "memory.swap.max": 0},
}


@pytest.fixture
def small_cgroup() -> Iterator[Path]:
    """A new cgroup whose processes may hold `ENOUGH`."""
    root = next((root for root in HIERARCHIES if Path(root, "cgroup.procs").exists()), None)
    if root is None:
        pytest.skip("there is no cgroup file system")
    cgroup = Path(root, f"mprun-test-{os.getpid()}")
    try:
        cgroup.mkdir()
    except OSError as error:
        pytest.skip(f"a cgroup can't be made here: {error}")
    try:
        _bound_memory(cgroup, HIERARCHIES[root])
        yield cgroup
    finally:
        wait_for(lambda: _removed(cgroup))


def _bound_memory(cgroup: Path, limits: dict[str, int]) -> None:
    first, *_ = limits
    if not (cgroup / first).exists():
        pytest.skip("the memory controller is off here")
    for name, value in limits.items():
        with contextlib.suppress(FileNotFoundError):  # a kernel without swap
            (cgroup / name).write_text(str(value))


def _removed(cgroup: Path) -> bool:
    """A process that has just ended may still be counted."""
    with contextlib.suppress(OSError):
        cgroup.rmdir()
    return not cgroup.exists()


def test_an_out_of_memory_kill_is_named(small_cgroup: Path, start: Any, engine: str) -> None:  # noqa: F811
    """It is told apart from any other SIGKILL; with `local` it costs one task."""
    ends = ["ok", "out of memory", "ok"]
    running = start(
        pool("pool", "zoo:end", ends, engine=engine, chunksize=1, needs=("killed",), folder=HERE),
        replace(process("killed", "zoo:end", "kill", folder=HERE), limits=Limits(continue_on_error=True)),
        process("filled", "zoo:end", "out of memory", needs=("killed",), folder=HERE),
        preexec_fn=lambda: (small_cgroup / "cgroup.procs").write_text("0"),
    )
    assert running.end() == (1, "")
    told = {(event["step"], event.get("task", 0)): event for event in results_of(read_log(running.log))}
    assert "oom_killer" not in told["killed", 0]
    for event in (told["pool", 1], told["filled", 0]):
        assert (event["outcome"], event["signal"], event["oom_killer"]) == ("lost", "SIGKILL", True)
        assert "out of memory" in event["reason"]
    if engine == "local":
        assert told["pool", 0]["outcome"] == told["pool", 2]["outcome"] == "returned"


def results_of(events: list[Event]) -> list[Event]:
    return [event for event in events if event["event"] in ("task.result", "process.result")]
