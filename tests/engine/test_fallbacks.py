"""What takes over where the system lacks something: the same runs, with each of these switched off."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
import selectors
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from plan_builders import pool, process

from engine.harness import HERE, run, zoo_plan
from engine.test_results import limited
from mprun.sources import ResultsSource

MISSING = ["pidfd", "memfd", "epoll", "F_SETSIG", "F_SETPIPE_SZ"]


@pytest.fixture(params=MISSING)
def without(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, warm: None) -> None:
    """A system without one of these, as children see it too (they are forked)."""
    match request.param:
        case "pidfd":
            monkeypatch.delattr(os, "pidfd_open")
        case "memfd":
            monkeypatch.delattr(os, "memfd_create")
        case "epoll":
            monkeypatch.setattr(selectors, "DefaultSelector", selectors.PollSelector)
        case name:
            monkeypatch.delattr(fcntl, name)


@pytest.mark.usefixtures("without")
@pytest.mark.parametrize("how", ["ok", "raise", "kill", "_exit 7", "half a frame", "grandchild"])
def test_a_pool(engine: str, how: str, tmp_path: Path) -> None:
    """Each task has its outcome, each child its join, and nothing is left."""
    ran = run(
        zoo_plan(
            pool("zoo", "zoo:end", ["ok"] * 4 + [how] + ["ok"] * 4, engine=engine, folder=HERE),
            start_method="fork",
        ),
        tmp_path,
    )
    assert len(ran.outcomes()) == 9
    if engine == "local":
        assert Counter(ran.outcomes())["returned"] >= 8


@pytest.mark.usefixtures("without")
@pytest.mark.parametrize("how", ["ok", "raise", "kill"])
def test_a_process(how: str, tmp_path: Path) -> None:
    ran = run(zoo_plan(process("zoo", "zoo:end", how, folder=HERE), start_method="fork"), tmp_path)
    assert ran.outcomes() == [{"ok": "returned", "raise": "raised", "kill": "lost"}[how]]


@pytest.mark.parametrize("missing", ["", "del fcntl.F_SETSIG;"])
def test_a_child_ends_with_its_parent(missing: str) -> None:
    """The end of the pipe that the parent holds ends the child: by the kernel, or by a thread where it can't."""
    code = f"""import fcntl, os, time; {missing}
from mprun.worker import lifeline
os.setpgid(0, 0)
lifeline.hold(0)
print("held", flush=True)
time.sleep(60)"""
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdin is not None
    assert child.stdout is not None
    with child.stdout, child.stdin:
        assert child.stdout.readline() == b"held\n"
        child.stdin.close()
        assert child.wait(timeout=20) == -signal.SIGKILL


@pytest.mark.usefixtures("without")
@pytest.mark.parametrize("how", ["ok", "kill"])
def test_results_that_are_kept(how: str, tmp_path: Path) -> None:
    """They come to the step that takes them as they come, and to its file."""
    ran = run(
        zoo_plan(
            limited(pool("first", "zoo:end", ["ok"] * 4 + [how], folder=HERE, keeps=True), continue_on_error=True),
            dataclasses.replace(
                pool("second", "flows:same", ResultsSource("first"), call="imap", needs=("first",), folder=HERE),
                streams=True,
                keeps=True,
                save=str(tmp_path / "second.json"),
            ),
            start_method="fork",
        ),
        tmp_path,
    )
    assert ran.values("second") == json.loads((tmp_path / "second.json").read_text()) == ["ok"] * (4 + (how == "ok"))
