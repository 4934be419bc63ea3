"""mprun in Python: load, run, read."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import environment
from logs_by_hand import RUN_ID, small_run, write_run

import mprun
from mprun import LogError, OtherEvent, UsageError, WorkflowError, load, read_run
from mprun.log.schema.events import ProcessResult, RunFinished, RunStarted, TaskResult

PROGRAM = """
import sys
from mprun import load, run

if __name__ == "__main__":
    plan = load("flow.yaml", {"count": 3})
    result = run(plan, display="display" in sys.argv)
    results = {event.task: event.result for event in result.events() if event.event == "task.result"}
    print(result.outcome, int(result.exit_code), result.succeeded, repr(result.log_error), results, sep="|")
    print(result.log)
"""

FLOW = """
params: {count: {type: int, default: 1}}
pools:
  squares: {target: jobs:square, map: {range: "${params.count}"}, processes: 1}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "jobs.py").write_text("def square(n):\n    print('at', n)\n    return n * n\n")
    (tmp_path / "flow.yaml").write_text(FLOW)
    return tmp_path


@pytest.mark.parametrize("display", [(), ("display",)])
def test_load_run_and_read(folder: Path, display: tuple[str, ...]) -> None:
    """As a program of a user's does it; what children print is shown only where that is asked for."""
    (folder / "program.py").write_text(PROGRAM)
    arguments = [sys.executable, "program.py", *display]
    told = subprocess.run(arguments, cwd=folder, env=environment(), capture_output=True, text=True, timeout=60)
    lines = told.stdout.splitlines()
    assert lines[-2] == "succeeded|0|True|''|{0: 0, 1: 1, 2: 4}"
    assert lines[:-2] == (["at 0", "at 1", "at 2"] if display else [])
    assert bool(told.stderr) == bool(display)
    assert isinstance(list(read_run(folder / lines[-1]))[-2], RunFinished)
    assert (Path(folder / lines[-1]).parent / "plan.json").exists()


def test_the_page_on_the_log_reads_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (Path(__file__).parents[2] / "docs/event-log.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    write_run(tmp_path / ".mprun/runs" / RUN_ID, small_run())
    monkeypatch.chdir(tmp_path)
    exec(program, {})
    assert capsys.readouterr().out == "bad ValueError no luck\n"


def test_mistakes_are_raised_with_their_places(folder: Path) -> None:
    (folder / "bad.yaml").write_text("pools: {x: {target: 'jobs:cube', map: [1]}}\n")
    with pytest.raises(WorkflowError) as caught:
        load(folder / "bad.yaml")
    assert [diagnostic.code for diagnostic in caught.value.diagnostics] == ["no-attribute"]
    assert caught.value.__notes__[0].startswith("error[no-attribute]: ")
    load(folder / "bad.yaml", check_targets=False)
    with pytest.raises(WorkflowError):
        load(folder / "flow.yaml", {"count": "three"})
    with pytest.raises(WorkflowError):
        load(folder / "flow.yaml", {"amount": 3})


def test_a_log_on_standard_output_is_for_the_command(folder: Path) -> None:
    with pytest.raises(UsageError, match="give `log` a path"):
        mprun.run(load(folder / "flow.yaml", check_targets=False), log="-")


REUSE = """
import asyncio, threading
from mprun import UsageError, load, run

def told(result):
    reused = [event.reused is not None for event in result.events() if event.event == "task.result"]
    print(result.outcome, sum(reused), len(reused))

def refused():
    try:
        run(load("flow.yaml"))
    except UsageError as error:
        print(error)

async def within_a_loop():
    told(run(load("flow.yaml", {"count": 3}), reuse="latest"))

if __name__ == "__main__":
    told(run(load("flow.yaml", {"count": 1})))
    told(run(load("flow.yaml", {"count": 2}), reuse="latest"))
    asyncio.run(within_a_loop())
    thread = threading.Thread(target=refused)
    thread.start()
    thread.join()
"""


def test_several_runs_of_one_program(folder: Path) -> None:
    """One after the other, each with what the one before has done, within a loop of asyncio too; never in a thread."""
    (folder / "program.py").write_text(REUSE)
    arguments = [sys.executable, "program.py"]
    told = subprocess.run(arguments, cwd=folder, env=environment(), capture_output=True, text=True, timeout=60)
    assert told.stdout.splitlines() == [
        "succeeded 0 1",
        "succeeded 1 2",
        "succeeded 2 3",
        "a run in Python takes the signals that stop it, and so it is for the main thread",
    ]
    assert len(list(folder.glob(".mprun/runs/*/events.jsonl"))) == 3


def test_a_run_that_there_is_not_starts_nothing(folder: Path) -> None:
    plan = load(folder / "flow.yaml", check_targets=False)
    with pytest.raises(UsageError, match="there is no run `x`"):
        mprun.run(plan, runs_dir=folder / "runs", reuse="x")
    assert not (folder / "runs").exists()


# -- reading


def test_each_event_is_of_its_own_class(tmp_path: Path) -> None:
    log = write_run(tmp_path / "run", small_run())
    events = list(read_run(log))
    assert [event.model_dump(by_alias=True, exclude_unset=True) for event in events] == [
        json.loads(line) for line in log.read_bytes().splitlines()
    ]
    assert isinstance(events[0], RunStarted)
    failed = next(event for event in events if isinstance(event, ProcessResult))
    assert (failed.exception_type, failed.args) == ("ValueError", [1])
    assert [event.result for event in events if isinstance(event, TaskResult)] == [0, 1, 4, 9]
    assert not any(isinstance(event, OtherEvent) for event in events)


def test_what_a_newer_mprun_adds_is_let_in(tmp_path: Path) -> None:
    events = small_run()
    events[0]["log_format"] = "1.9"
    events[0]["steps"][0]["colour"] = "blue"
    events[-1]["colour"] = "blue"
    events.insert(1, {"ts": events[0]["ts"], "event": "step.paused", "step": "bad"})
    read = list(read_run(write_run(tmp_path / "run", events)))
    assert isinstance(read[0], OtherEvent)  # it has what the class can't say
    assert isinstance(read[1], OtherEvent)
    assert (read[1].event, read[1].model_extra) == ("step.paused", {"step": "bad"})
    assert isinstance(read[-2], RunFinished)
    assert read[-2].model_extra == {"colour": "blue"}


def test_it_is_read_as_it_is_asked_for(tmp_path: Path) -> None:
    log = write_run(tmp_path / "run", small_run(tasks=5000), every=1000)
    events: Iterator[mprun.Event] = read_run(log)
    assert next(events).seq == 0
    log.write_bytes(b"")
    assert 10 < sum(1 for _ in events) < 4000


def test_what_can_not_be_read(tmp_path: Path) -> None:
    log = write_run(tmp_path / "run", small_run())
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join([*lines[:3], b"{}\n", *lines[3:]]))
    with pytest.raises(LogError, match=r"events\.jsonl:4: it is not an event"):
        list(read_run(log))
    log.write_bytes(lines[0].replace(b'"1.1"', b'"2.0"'))
    with pytest.raises(UsageError, match=r"has log format 2\.0"):
        list(read_run(log))
    log.write_bytes(lines[0] + lines[1][:30])
    assert len(list(read_run(log))) == 1
    with pytest.raises(UsageError, match="there is no run `x`"):
        read_run("x", tmp_path)


def test_importing_mprun_loads_nothing() -> None:
    """Every child imports it."""
    script = "import sys; before = set(sys.modules); import mprun; print(*sorted(set(sys.modules) - before))"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert set(told.stdout.split()) <= {"mprun", "__future__"}


def test_what_is_offered_is_there() -> None:
    assert set(mprun.__all__) <= set(dir(mprun))
    for name in mprun.__all__:
        assert getattr(mprun, name).__name__ == name
    with pytest.raises(AttributeError, match="has no attribute 'jump'"):
        mprun.jump  # noqa: B018
