"""Children that somebody else stops: told, never ended while they are at work, replaced where that costs nothing."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from log_checks import Event
from plan_builders import pool, process

from engine.harness import HERE, run, zoo_plan
from mprun.engines.child import child
from mprun.plan.plan import StartMethod
from mprun.sinks.display import PlainDisplay

pytestmark = pytest.mark.usefixtures("warm")


class Meddler(PlainDisplay):
    """Shows the run to nobody, and calls what it was given for each event."""

    def __init__(self, meddle: Callable[[Event], None], folder: Path) -> None:
        self._file = (folder / "shown").open("w+")
        super().__init__(self._file)
        self._meddle = meddle

    def shown(self) -> str:
        with self._file:
            self._file.seek(0)
            return self._file.read()

    def event(self, event: Event) -> None:  # type: ignore[override]
        super().event(event)
        self._meddle(event)


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "SUSPENSION_INTERVAL", 0.05)


def continue_it(event: Event) -> None:
    if event["event"].endswith(".suspended"):
        os.kill(event["pid"], signal.SIGCONT)


def stop_the_first(event: Event) -> None:
    """Long before it has begun a task: it is just booting."""
    if event["event"] == "worker.started" and event["worker"] == 1:
        os.kill(event["pid"], signal.SIGSTOP)


def test_a_task_waits_with_its_worker(tmp_path: Path, start_method: StartMethod, engine: str) -> None:
    """It may have had effects, so nothing but a `timeout` ends it; whoever stopped it is told how to go on."""
    meddler = Meddler(continue_it, tmp_path)
    step = pool("zoo", "zoo:end", ["ok", "stop", "ok"], engine=engine, chunksize=1, folder=HERE)
    ran = run(zoo_plan(step, start_method=start_method), tmp_path, meddler)
    assert ran.outcomes() == ["returned"] * 3
    pid = ran.one("worker.suspended")["pid"]
    assert f"(pid {pid}) is suspended; `kill -CONT {pid}` lets it go on\n" in meddler.shown()


def test_a_process_that_goes_on(tmp_path: Path) -> None:
    go_on = tmp_path / "go-on"

    def meddle(event: Event) -> None:
        continue_it(event)
        if event["event"] == "process.continued":
            go_on.touch()

    meddler = Meddler(meddle, tmp_path)
    step = process("zoo", "zoo:stops_and_waits", str(go_on), folder=HERE)
    ran = run(zoo_plan(step, start_method="fork"), tmp_path, meddler)
    assert ran.outcomes() == ["returned"]
    assert ran.one("process.suspended")["pid"] == ran.one("process.continued")["pid"]
    assert "goes on" in meddler.shown()


@pytest.mark.parametrize("log_tasks", ["all", "failures"])
def test_a_worker_between_two_tasks_is_replaced(tmp_path: Path, start_method: StartMethod, log_tasks: str) -> None:
    """What it was given and has not begun is begun by another one, as a first attempt."""
    step = pool("zoo", "zoo:square", 20, processes=1, folder=HERE)
    plan = zoo_plan(step, start_method=start_method, log_tasks=log_tasks)
    meddler = Meddler(stop_the_first, tmp_path)
    ran = run(plan, tmp_path, meddler)
    meddler.shown()
    assert ran.one("run.finished")["returned"] == 20
    assert ran.one("worker.suspended")["worker"] == 1
    assert [event["reason"] for event in ran.named("worker.joined")] == ["stopped", "retired"]
