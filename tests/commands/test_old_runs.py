"""The run folders of each version that was ever released are still read, by every command.

`golden/<log format>/mprun-<version>` is the folder of a project, with its workflows and its runs, as that version left
it; `golden/make_runs.py` makes one. `expected.yaml` in it says what the readers must find, and what each key means.
A version adds its folder, and changes no other.
"""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from log_checks import check_old_form
from old_runs import RESULTS, RUNS_DIR, VERSIONS, OldRun, copy_of, expected_in, returned_in, reused_in, run_ids, values

from mprun import OtherEvent, read_run
from mprun.cli.app import app
from mprun.cli.commands import logs, query, show
from mprun.log.export.formats import FORMATS
from mprun.log.export.run_log import RunLog
from mprun.log.schema.events import event_schema
from mprun.log.verifying.signing import checker
from mprun.log.verifying.verify import verify
from mprun.log.words import LOG_FORMAT
from mprun.runs.find import find_run

NOT_MADE = {"save.suspended", "save.continued"}  # the child that saves runs no code that could stop it
EACH_RUN = [
    pytest.param((version, name), id=f"{version.parent.name}-{version.name}-{name}")
    for version in VERSIONS
    for name in expected_in(version)
]
RESUMED = [each for each in EACH_RUN if "resume" in expected_in(each.values[0][0])[each.values[0][1]]]  # type: ignore[index]


@pytest.fixture
def old(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OldRun:
    """The run that the test's parameter names, in a copy that may be changed; its paths are below /proc/self/cwd."""
    run = copy_of(*request.param, tmp_path / "project")
    monkeypatch.chdir(run.mprun.folder)
    return run


each_run = pytest.mark.parametrize("old", EACH_RUN, indirect=True)
each_resumed = pytest.mark.parametrize("old", RESUMED, indirect=True)


def without_times(text: str) -> str:
    """With `…` for times, seconds, run ids and process ids, as in `expected.yaml`."""
    text = re.sub(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z|\b\d\d:\d\d:\d\d\.\d+", "…", text)
    return re.sub(r"\(pid \d+\)", "(pid …)", re.sub(r"\b\d+(\.\d+)? s\b(?=[:;, \n]|$)", "… s", text))


def as_written(lines: list[str]) -> set[str]:
    """Times that a workflow gives are times as well."""
    return {without_times(line) for line in lines}


# -- the versions


def test_there_are_runs_of_the_present_format() -> None:
    assert LOG_FORMAT in [version.parent.name for version in VERSIONS]


def test_the_runs_of_the_present_format_have_every_kind_of_event() -> None:
    logs = [log for version in VERSIONS if version.parent.name == LOG_FORMAT for log in version.rglob("events.jsonl")]
    found = {json.loads(line)["event"] for log in logs for line in log.read_bytes().splitlines()}
    forms = event_schema()["definitions"].values()
    assert {form["properties"].get("event", {}).get("const") for form in forms} - found - {None} == NOT_MADE


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_the_runs_are_listed(version: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app(["runs", "--json", "--runs-dir", str(version / RUNS_DIR)], prog_name="mprun", standalone_mode=False)
    listed = json.loads(capsys.readouterr().out)
    assert [run["run_id"] for run in listed] == run_ids(version)
    for run, expected in zip(listed, expected_in(version).values(), strict=True):
        assert run["state"] == expected["state"]
        assert run["outcomes"] == (None if run["state"] == "incomplete" else expected["outcomes"])


# -- the log


@each_run
def test_it_verifies(old: OldRun) -> None:
    run = find_run(old.run_id, RUNS_DIR)
    assert run.index
    verdict = verify(run)
    assert (verdict.word, verdict.notes) == (old.expected["verdict"], ())
    assert [finding.what for finding in verdict.findings] == old.expected.get("findings", [])
    signed = verify(run, checker("key.pub")).word
    assert signed == ("VERIFIED" if "signed" in old.expected else "UNSIGNED" if not verdict.findings else verdict.word)


@each_run
def test_a_change_to_it_is_noticed(old: OldRun) -> None:
    old.log.write_bytes(old.log.read_bytes().replace(b'"returned"', b'"raised"  ', 1))
    assert verify(find_run(old.run_id, RUNS_DIR)).word == "TAMPERED"


@each_run
def test_each_line_is_as_the_schema_says(old: OldRun) -> None:
    for event in old.events():
        check_old_form(event, old.log_format)


@each_run
def test_each_event_is_read_in_python(old: OldRun) -> None:
    events = list(read_run(old.log))
    assert [event.seq for event in events] == [event["seq"] for event in old.events()]
    assert not any(isinstance(event, OtherEvent) for event in events)
    results = [event for event in events if event.event in RESULTS]
    assert len(results) == old.expected["finals"]


@each_run
def test_its_story_is_told(old: OldRun, capsys: pytest.CaptureFixture[str]) -> None:
    show.command(old.run_id, runs_dir=RUNS_DIR)
    lines = without_times(capsys.readouterr().out).splitlines()
    assert as_written(old.expected["show"]) - set(lines) == set()


@each_run
def test_each_step_is_in_its_story(old: OldRun, capsys: pytest.CaptureFixture[str]) -> None:
    show.command(old.run_id, runs_dir=RUNS_DIR)
    told = capsys.readouterr().out
    for step in old.events()[0]["steps"]:
        assert re.search(rf"^{step['step']} ", told, re.MULTILINE), step


@each_run
def test_a_task_or_a_shared_thing_is_told_of(old: OldRun, capsys: pytest.CaptureFixture[str]) -> None:
    for name, expected in old.expected["about"].items():
        show.command(old.run_id, name, runs_dir=RUNS_DIR)
        lines = without_times(capsys.readouterr().out).splitlines()
        assert as_written(expected) - set(lines) == set(), name


@each_run
def test_its_events_are_selected(old: OldRun, capsys: pytest.CaptureFixture[str]) -> None:
    for name, count in old.expected["logs"].items():
        for as_json in (True, False):
            logs.command(old.run_id, event=[name], as_json=as_json, runs_dir=RUNS_DIR)
            printed = capsys.readouterr().out
            if as_json:
                assert [json.loads(line)["event"] for line in printed.splitlines()] == [name] * count
            else:
                assert bool(printed) == bool(count)


@each_run
def test_it_is_asked_in_sql(old: OldRun, capsys: pytest.CaptureFixture[str]) -> None:
    query.command(
        old.run_id,
        "select outcome, count(*) as tasks from tasks where final group by outcome",
        runs_dir=RUNS_DIR,
        as_json=True,
    )
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    counted_only = sum(event["returned"] for event in old.events() if event["event"] == "tasks.counted")
    expected = Counter(old.expected["outcomes"]) - Counter(returned=counted_only)
    assert {row["outcome"]: row["tasks"] for row in rows} == expected


def exported(old: OldRun, form: str) -> str:
    return "".join(FORMATS[form](RunLog(str(old.log))))


@each_run
def test_it_is_exported(old: OldRun) -> None:
    """Each form has what the run has: nothing is left out, and nothing is there twice."""
    has = old.expected
    spans = has["attempts"] + has["finished"] + has["spans"]
    ended = has["state"] != "incomplete"
    found = {form: _COUNTS[form](exported(old, form)) for form in FORMATS}
    assert found == {
        "chrome-trace": spans,
        "joblog": has["finals"],
        "csv": has["attempts"],
        "junit": has["junit"],
        "otlp": spans + ended,  # the run is a span, too
    }


def _junit(text: str) -> list[int]:
    (suite,) = ET.fromstring(text)
    assert len(suite.findall("testcase")) == int(suite.attrib["tests"])
    return [int(suite.attrib[name]) for name in ("tests", "failures", "errors", "skipped")]


def _otlp(text: str) -> int:
    scopes = [scope for line in text.splitlines() for each in _resources(line) for scope in each["scopeSpans"]]
    return sum(len(scope["spans"]) for scope in scopes)


def _resources(line: str) -> list[dict[str, Any]]:
    return json.loads(line).get("resourceSpans", [])  # type: ignore[no-any-return]


_COUNTS = {
    "chrome-trace": lambda text: sum(entry["ph"] == "X" for entry in json.loads(text)["traceEvents"]),
    "joblog": lambda text: len(text.splitlines()) - 1,
    "csv": lambda text: len(list(csv.DictReader(io.StringIO(text)))),
    "junit": _junit,
    "otlp": _otlp,
}


# -- going on from it


@each_run
def test_what_is_left_to_do_is_explained(old: OldRun, capsys: pytest.CaptureFixture[str]) -> None:
    told = old.explanation(capsys)
    by_files = ", compared by the file of its target alone, as that run's version of mprun did"
    assert set(old.expected["explain"]) - set(told.replace(by_files, "").splitlines()) == set()
    assert (by_files in told) == (old.log_format == "1.0" and " reused" in told)  # the digests of 1.0 saw files alone


@each_resumed
def test_it_is_resumed(old: OldRun) -> None:
    """What has returned is reused, each once; what is run gives what it has to."""
    expected = old.expected["resume"]
    before = old.log.read_bytes()
    code, _, _ = old("resume", old.run_id, "-q")
    assert code == expected["code"]
    log = old.mprun.log()
    assert log[0]["resumes"] == old.run_id
    reused = reused_in(log, old.run_id)
    assert reused == {key for key in returned_in(old.events()) if key[0] not in expected["again"]}
    assert len(reused) == expected["reused"]
    for step, results in expected["results"].items():
        assert [result for _, result in sorted(values(log, step))] == results, step
    for name, text in expected["files"].items():
        assert (old.mprun.folder / name).read_text() == text
    assert old.log.read_bytes() == before


@each_run
def test_a_call_of_it_is_made_again(old: OldRun) -> None:
    for task, printed in old.expected["repro"].items():
        code, told, errors = old("repro", old.run_id, task)
        assert (code, errors) == (0, ""), task
        assert told.endswith(printed)
