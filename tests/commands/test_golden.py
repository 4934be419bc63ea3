"""A log of each version of the format that was ever released stays readable.

`golden/1.0` holds a run of the `flow.yaml` beside it, as a log that has left its project: without index and results.
Whole projects, whose runs can be resumed, are read in `test_old_runs.py`.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import CommandLine
from log_checks import check_lines

from mprun import OtherEvent, read_run
from mprun.log.export.formats import FORMATS
from mprun.log.export.run_log import RunLog
from mprun.log.verifying.verify import verify
from mprun.runs.find import find_run

GOLDEN = sorted((Path(__file__).parents[1] / "golden").glob("*/events.jsonl"))


@pytest.fixture(params=GOLDEN, ids=lambda log: log.parent.name)
def log(request: pytest.FixtureRequest) -> Path:
    return request.param  # type: ignore[no-any-return]


def test_it_verifies(log: Path) -> None:
    verdict = verify(find_run(str(log), ""))
    assert (verdict.word, verdict.findings, verdict.notes) == ("VERIFIED", (), ())


def test_it_is_as_the_schema_says(log: Path) -> None:
    check_lines(log.read_bytes())


def test_each_of_its_events_is_known(log: Path) -> None:
    events = list(read_run(log))
    assert len(events) == len(log.read_bytes().splitlines())
    assert not any(isinstance(event, OtherEvent) for event in events)


def test_it_is_shown(log: Path, mprun: CommandLine) -> None:
    told = mprun("show", str(log.parent)).stdout
    assert "outcome   failed in" in told
    assert "squares[3]: raised: ValueError: no luck with 3" in told
    assert "late: timed out: it took longer than its timeout of 0.2 s" in told
    assert "squares[5]: lost: the child exited with code 7" in told
    attempts = mprun("show", str(log), "squares[5]").stdout
    assert [line.split()[1:3] for line in attempts.splitlines() if "attempt" in line] == [
        ["attempt", "1"],
        ["attempt", "2"],
    ]
    lines = mprun("logs", str(log), "--json", "-o", "raised").stdout.splitlines()
    assert {json.loads(line)["event"] for line in lines} == {"process.result", "process.retried", "task.result"}


@pytest.mark.parametrize("form", FORMATS)
def test_it_is_exported(log: Path, form: str) -> None:
    assert len("".join(FORMATS[form](RunLog(str(log)))).splitlines()) > 1
