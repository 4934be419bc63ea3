"""A run's log in the forms of other programs, and asked in SQL."""

from __future__ import annotations

import csv
import io
import json
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from conftest import CommandLine
from logs_by_hand import RUN_ID, small_run, write_run

from mprun.cli.commands import query
from mprun.errors.exceptions import UsageError
from mprun.log.export.formats import FORMATS
from mprun.log.export.run_log import RunLog


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A run with a failed process, a pool that tried a task again, and a plan that says what needs what."""
    events = small_run()
    number = next(number for number, event in enumerate(events) if event["event"] == "task.result")
    again = {**events[number], "event": "task.retried", "outcome": "lost", "reason": "the child died", "retry_in": 1.0}
    again = {key: value for key, value in again.items() if key not in ("result", "duration")}
    events[number] = {**events[number], "attempt": 2, "ts": "2026-01-31T09:30:01.000000Z"}
    events.insert(number, again)
    log = write_run(tmp_path / ".mprun/runs" / RUN_ID, events)
    steps = [{"name": "bad", "needs": []}, {"name": "pool", "needs": ["bad"]}, {"name": "after", "needs": ["bad"]}]
    log.with_name("plan.json").write_text(json.dumps({"steps": steps}))
    return log


def exported(log: Path, form: str) -> str:
    return "".join(FORMATS[form](RunLog(str(log))))


def test_chrome_trace(log: Path) -> None:
    """A track for each step and worker, a span for each attempt, arrows, counters."""
    entries = json.loads(exported(log, "chrome-trace"))["traceEvents"]
    spans = [entry for entry in entries if entry["ph"] == "X"]
    assert [span["name"] for span in spans] == [
        "bad",
        "bad",
        "pool[0]",
        "pool[0]",
        "pool[1]",
        "pool[2]",
        "pool[3]",
        "pool",
    ]
    assert spans[3] == {
        "ph": "X",
        "name": "pool[0]",
        "cat": "returned",
        "pid": 3,
        "tid": 1,
        "ts": 750_000,
        "dur": 250_000,
        "args": {"outcome": "returned", "attempt": 2},
    }
    tracks = {
        (entry["pid"], entry["tid"]): entry["args"]["name"] for entry in entries if entry["ph"] == "M" and entry["tid"]
    }
    assert tracks == {(1, 2): "bad", (1, 3): "pool", (1, 4): "after", (3, 1): "worker 1"}
    flows = [
        (entry["name"], entry["ph"], entry["pid"], entry["tid"], entry["ts"])
        for entry in entries
        if entry["ph"] in "sf"
    ]
    assert flows == [
        ("retry", "s", 3, 1, 0),
        ("retry", "f", 3, 1, 750_000),
        ("needs", "s", 1, 2, 0),
        ("needs", "f", 1, 3, 0),
    ]
    counters = [entry["args"] for entry in entries if entry["ph"] == "C"]
    assert {"workers": 1} in counters
    assert {"workers": 0} in counters
    assert all(isinstance(entry.get("ts", 0), int) and entry.get("dur", 0) >= 0 for entry in entries)


def test_joblog(log: Path) -> None:
    rows = [line.split("\t") for line in exported(log, "joblog").splitlines()]
    assert rows[0] == ["Seq", "Host", "Starttime", "JobRuntime", "Send", "Receive", "Exitval", "Signal", "Command"]
    assert rows[1] == ["1", "here", "1769851799.500", "     0.500", "0", "0", "1", "0", "bad jobs:fail"]
    assert rows[2] == ["2", "here", "1769851800.750", "     0.250", "0", "0", "0", "0", "pool[0] jobs:square"]
    assert len(rows) == 6


def test_comma_separated(log: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(exported(log, "csv"))))
    assert [(row["step"], row["task"], row["attempt"], row["outcome"]) for row in rows[:3]] == [
        ("bad", "", "1", "raised"),
        ("pool", "0", "1", "lost"),
        ("pool", "0", "2", "returned"),
    ]
    assert (rows[0]["exception.type"], rows[0]["args"], rows[0]["result"]) == ("ValueError", "[1]", "")
    assert (rows[1]["reason"], rows[4]["result"]) == ("the child died", "4")


def test_junit(log: Path) -> None:
    suite = ET.fromstring(exported(log, "junit"))[0]
    assert {key: suite.get(key) for key in ("name", "tests", "failures", "errors", "skipped", "time")} == {
        "name": "small",
        "tests": "6",
        "failures": "1",
        "errors": "0",
        "skipped": "1",
        "time": "2.000000",
    }
    cases = {str(case.get("name")): case for case in suite}
    assert list(cases) == ["bad", "after", "pool[0]", "pool[1]", "pool[2]", "pool[3]"]
    (failure,) = cases["bad"]
    assert (failure.tag, failure.get("type"), failure.get("message")) == (
        "failure",
        "ValueError",
        "raised: ValueError: no luck",
    )
    assert [child.tag for child in cases["after"]] == ["skipped"]
    assert list(cases["pool[0]"]) == []


def test_otlp(log: Path) -> None:
    requests = [json.loads(line) for line in exported(log, "otlp").splitlines()]
    (spans,) = [
        request["resourceSpans"][0]["scopeSpans"][0]["spans"] for request in requests if "resourceSpans" in request
    ]
    (records,) = [
        request["resourceLogs"][0]["scopeLogs"][0]["logRecords"] for request in requests if "resourceLogs" in request
    ]
    by_id = {span["spanId"]: span for span in spans}
    assert len(by_id) == len(spans) == 9
    tree = [(span["name"], by_id[span["parentSpanId"]]["name"] if "parentSpanId" in span else None) for span in spans]
    assert tree[:3] == [("bad", "bad"), ("bad", "small"), ("pool[0]", "pool")]
    assert tree[-2:] == [("pool", "small"), ("small", None)]
    failed = spans[0]
    assert failed["status"] == {"code": 2, "message": "ValueError: no luck"}
    assert failed["events"][0]["attributes"][0] == {"key": "exception.type", "value": {"stringValue": "ValueError"}}
    assert (failed["startTimeUnixNano"], failed["endTimeUnixNano"]) == ("1769851799500000000", "1769851800000000000")
    assert {len(span["traceId"]) for span in spans} == {32}
    assert records[0]["body"] == {"stringValue": 'a "line" with ünicode \x1b[31m'}
    assert by_id[records[0]["spanId"]]["name"] == "bad"
    assert exported(log, "otlp") == exported(log, "otlp")


def test_a_log_that_was_cut_is_exported_as_far_as_it_goes(log: Path) -> None:
    log.write_bytes(log.read_bytes()[:2500])
    for form in FORMATS:
        assert exported(log, form)
    json.loads(exported(log, "chrome-trace"))
    ET.fromstring(exported(log, "junit"))


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_an_end_of_line_stays_in_its_cell(tmp_path: Path, end: str) -> None:
    events = small_run()
    failed = next(event for event in events if event["event"] == "process.result")
    failed["exception.message"] = f"one{end}two"
    text = exported(write_run(tmp_path / "run", events), "csv")
    assert next(iter(csv.DictReader(io.StringIO(text, newline=""))))["exception.message"] == f"one{end}two"


@pytest.mark.parametrize("form", FORMATS)
def test_text_of_the_users_stays_text(tmp_path: Path, form: str) -> None:
    """Quotes, tags, control characters, newlines in whatever a user's code said."""
    events = small_run(name='<a> & "b" \u001b[31m\0')
    evil = '</testcase> ]]> \u001b[2J " , \n\t\u0000'
    for event in events:
        for key in ("exception.type", "exception.message", "exception.stacktrace", "text", "target", "host"):
            if key in event:
                event[key] = evil
    text = exported(write_run(tmp_path / "run", events), form)
    assert "\u001b" not in text or form == "csv"
    assert "\0" not in text or form == "csv"
    match form:
        case "junit":
            assert len(ET.fromstring(text)[0]) == 6
        case "csv":
            assert next(iter(csv.DictReader(io.StringIO(text, newline=""))))["exception.message"] == evil
        case "joblog":
            assert {line.count("\t") for line in text.splitlines()} == {8}
        case _:
            assert [json.loads(line) for line in text.splitlines()] if form == "otlp" else json.loads(text)


def test_the_command(mprun: CommandLine, log: Path) -> None:
    assert mprun("export", "latest", "-f", "joblog").stdout == exported(log, "joblog")
    assert mprun("export", "latest", "-f", "junit", "-o", "out.xml").stdout == ""
    assert (mprun.folder / "out.xml").read_text(encoding="utf-8") == exported(log, "junit")
    wrong = mprun("export", "latest", "-f", "junit", "-o", "no/out.xml")
    assert (wrong.code, wrong.stderr) == (2, "error: no/out.xml can't be written: No such file or directory\n")
    assert mprun("export", "latest", "-f", "pdf").code == 2


def test_a_record_is_not_overwritten(mprun: CommandLine, log: Path) -> None:
    index = log.parents[1] / "index.jsonl"
    index.touch()
    before = {path: path.read_bytes() for path in (log, log.with_name("events.head"), index)}
    for path in before:
        ran = mprun("export", "latest", "-f", "csv", "-o", str(path))
        told = f"error: {path} is a part of the run's record, which is never overwritten\n"
        assert (ran.code, ran.stderr) == (2, told)
    assert {path: path.read_bytes() for path in before} == before


def test_an_export_is_utf8_and_an_answer_is_escaped_whatever_the_terminal_is(mprun: CommandLine, log: Path) -> None:
    ran = mprun.shell("PYTHONIOENCODING=ascii $MPRUN export latest -f otlp > out && $MPRUN logs latest -e output")
    assert ran.code == 0
    assert "ünicode" in (mprun.folder / "out").read_text(encoding="utf-8")
    ran = mprun.shell("PYTHONIOENCODING=ascii $MPRUN logs latest -e output")
    assert (ran.code, r"\xfcnicode" in ran.stdout) == (0, True)


@pytest.mark.parametrize(
    "damage", [('"duration":0.25', '"duration":1e308'), ('"name":"small"', f'"name":{"[" * 900}{"]" * 900}')]
)
def test_a_value_that_no_export_can_hold_is_the_logs_fault(
    mprun: CommandLine, tmp_path: Path, damage: tuple[str, str]
) -> None:
    log = write_run(tmp_path / "elsewhere", small_run(name="small"))
    assert damage[0] in log.read_text()
    log.write_text(log.read_text().replace(*damage))
    ran = mprun("export", str(log), "-f", "otlp", "-o", "out")
    assert (ran.code, ran.stderr) == (2, f"error: {log} is not as mprun writes a log: `mprun verify` says where\n")


# -- query


def rows(mprun: CommandLine, sql: str) -> list[dict[str, Any]]:
    ran = mprun("query", "latest", sql, "--json")
    assert (ran.code, ran.stderr) == (0, "")
    return [json.loads(line) for line in ran.stdout.splitlines()]


def test_the_tables(mprun: CommandLine, log: Path) -> None:
    """They agree with the log."""
    events = [json.loads(line) for line in log.read_bytes().splitlines()]
    assert rows(mprun, "select count(*) as n from events") == [{"n": len(events)}]
    assert rows(mprun, "select task, outcome from tasks where step = 'pool' and final order by task") == [
        {"task": task, "outcome": "returned"} for task in range(4)
    ]
    assert rows(mprun, "select outcome, reason from tasks where not final") == [
        {"outcome": "lost", "reason": "the child died"}
    ]
    assert rows(mprun, "select step, worker, pid, tasks, reason from workers") == [
        {"step": "pool", "worker": 1, "pid": 12, "tasks": 4, "reason": "retired"}
    ]
    assert rows(mprun, "select step, outcome from steps order by step") == [
        {"step": "after", "outcome": "skipped"},
        {"step": "bad", "outcome": "failed"},
        {"step": "pool", "outcome": "succeeded"},
    ]
    assert rows(mprun, "select distinct pid from events where event = 'run.started' and log_format = '1.1'") == [
        {"pid": 10}
    ]


def test_an_answer_for_people(mprun: CommandLine, log: Path) -> None:
    ran = mprun("query", "latest", "select step, text from events where event = 'output'")
    assert ran.stdout == 'step  text\nbad   a "line" with ünicode \\x1b[31m\n'


NOT_ANSWERED = {
    "no SQL": ("selec", "error: the query can't be answered: Parser Error"),
    "no such table": ("select * from nothing", "error: the query can't be answered: Catalog Error"),
    "another file": ("select * from read_csv('/etc/passwd')", "error: the query can't be answered: Permission Error"),
    "writing": ("copy (select 1) to 'x.csv'", "error: a query is one SELECT"),
    "writing the log": ("copy (select 1) to 'LOG'", "error: a query is one SELECT"),
    "writing the log, explained": (
        "explain analyze copy (select 1) to 'LOG' (use_tmp_file false)",
        "error: a query is one SELECT",
    ),
    "writing the log on the way": (
        "with x as (copy (select 1) to 'LOG' (use_tmp_file false)) select * from x",
        "error: ",  # a DuckDB before 1.5 doesn't know it
    ),
    "writing the log in disguise": (
        "select * from json_execute_serialized_sql(json_serialize_sql('from x'))",
        "error: a query is one SELECT",
    ),
    "two": ("select 1; select 2", "error: a query is one SELECT"),
    "none": ("", "error: a query is one SELECT"),
    "settings": ("set enable_external_access = true", "error: a query is one SELECT"),
}


@pytest.mark.parametrize("what", NOT_ANSWERED)
def test_what_is_not_answered(mprun: CommandLine, log: Path, what: str) -> None:
    """In particular nothing that would write."""
    before = log.read_bytes()
    sql, told = NOT_ANSWERED[what]
    ran = mprun("query", "latest", sql.replace("LOG", str(log)))
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr.startswith(told)
    assert log.read_bytes() == before


@pytest.mark.parametrize(
    "sql", ["explain from tasks", "Explain Analyze select 1", "with x as (select 1) from x", "show tables"]
)
def test_what_only_reads_is_answered(mprun: CommandLine, log: Path, sql: str) -> None:
    assert mprun("query", "latest", sql).code == 0


def test_without_the_package_a_query_is_refused(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(UsageError, match=r"pip install 'mprun\[query\]'"):
        query.command(str(log), "select 1", runs_dir="")
