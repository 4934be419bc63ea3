"""One field more in `task.result`, wherever it stands: all that reads a log still reads it.

docs/event-log.md promises it to those who read logs; so mprun's own readers keep it first.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import CommandLine
from log_checks import without_seals
from logs_by_hand import lines_of

from mprun import read_run
from mprun.cli.commands import query, resume, show
from mprun.log.codec import columns
from mprun.log.export.formats import FORMATS
from mprun.log.export.run_log import RunLog
from mprun.log.reading.select import Selection, read_condition

NAME = "colour"
VALUES = ("blue", {"event": "task.result", "result": [1, {"task": 0}], "duration": 9}, 0.5)
PLACES = range(11)  # in front of each key of a worker's line but `seq`, and behind the last

JOBS = """
    def work(n):
        if n == 4:
            raise ValueError("no luck")
        return {"n": n, "text": '"outcome":"raised"'}
    """
FLOW = """
    pools:
      squares: {processes: 1, target: jobs:work, map: [1, 2, 3, 4], keys: "k${item}"}
      plain: {processes: 1, target: builtins:abs, map: {range: 40}}
    """


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """A folder with one run."""
    mprun = CommandLine(tmp_path_factory.mktemp("ran"))
    mprun.write("jobs.py", JOBS)
    mprun.write("flow.yaml", FLOW)
    mprun("-q", "flow.yaml")
    return mprun


@pytest.fixture
def log(ran: CommandLine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The run's log, which is as it was afterwards. Its lines are read in bulk, few as they are."""
    monkeypatch.setattr(columns, "WORTH_IT", 0)
    monkeypatch.chdir(ran.folder)
    (folder,) = (ran.folder / ".mprun" / "runs").glob("2*")
    log = folder / "events.jsonl"
    (ran.folder / ".mprun" / "runs" / "index.jsonl").unlink(missing_ok=True)  # it knows the last seal
    before = log.read_bytes()
    yield log
    log.write_bytes(before)


def add_field(log: Path, place: int, value: Any) -> None:
    """Into each `task.result`; the log is sealed anew."""
    events = [json.loads(line) for line in log.read_bytes().splitlines()]
    changed = [_with_field(event, place, value) for event in without_seals(events)]
    log.write_bytes(b"".join(lines_of(changed, every=900)))
    log.with_suffix(".head").unlink(missing_ok=True)


def _with_field(event: dict[str, Any], place: int, value: Any) -> dict[str, Any]:
    fields = [(name, each) for name, each in event.items() if name != "seq"]
    more = [(NAME, value)] if event["event"] == "task.result" else []
    return dict([*fields[:place], *more, *fields[place:]])


def told(log: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """What each reader says of the run, but for what a newer format may add."""
    run, said = str(log.parent), {}
    capsys.readouterr()
    show.command(run, runs_dir=".mprun")
    said["show"] = capsys.readouterr().out
    show.command(run, "squares[3]", runs_dir=".mprun")
    said["show of a task"] = "".join(
        line for line in capsys.readouterr().out.splitlines(keepends=True) if NAME not in line
    )
    resume.command(run, runs_dir=".mprun", explain=True)
    said["resume"] = capsys.readouterr().out
    for table in ("tasks", "events"):
        what = "step, task, attempt, outcome, worker, duration, waited, key, result"
        query.command(run, f"select {what} from {table} where task is not null", runs_dir=".mprun", as_json=True)
        said[f"query of {table}"] = capsys.readouterr().out
    for form, export in FORMATS.items():
        said[form] = "".join(export(RunLog(str(log))))
    selection = Selection(["task.result"], ["squares"], ["returned"], read_condition("task < 2"))
    said["logs"] = str([event["result"] for _, event in selection.lines(log.read_bytes())])
    said["Python"] = str([vars(event) for event in read_run(log) if event.event == "task.result"])
    return said


@pytest.mark.parametrize("place", PLACES)
def test_every_reader_reads_on(log: Path, place: int, capsys: pytest.CaptureFixture[str]) -> None:
    before = told(log, capsys)
    assert "squares: 3 of 4 tasks reused" in before["resume"]
    assert "plain: all 40 tasks reused" in before["resume"]
    add_field(log, place, VALUES[place % len(VALUES)])
    assert log.read_bytes().count(b'"colour":') == 44
    assert told(log, capsys) == before


@pytest.mark.parametrize("place", [5, 10])
def test_what_was_done_is_not_done_again(ran: CommandLine, log: Path, place: int) -> None:
    add_field(log, place, VALUES[1])
    resumed = ran.shell(f"$MPRUN resume {log.parent.name} -q")
    (other,) = set((ran.folder / ".mprun" / "runs").glob("2*")) - {log.parent}
    events = [json.loads(line) for line in (other / "events.jsonl").read_bytes().splitlines()]
    results = [event for event in events if event["event"] == "task.result"]
    assert resumed.code == 1
    reused = [event for event in results if "reused" in event]
    assert len(reused) == 43
    assert [event["key"] for event in reused if event["step"] == "squares"] == ["k1", "k2", "k3"]
    shutil.rmtree(other)
