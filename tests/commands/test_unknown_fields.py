"""A log with fields and events that this version doesn't know is read as if they weren't there.

A newer minor version of the format may add them, anywhere in a line. Each log here is one of `golden/`, with additions,
and sealed anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from old_runs import RESULTS, RUNS_DIR, VERSIONS, OldRun, copy_of, returned_in, reused_in, values

from mprun import OtherEvent, read_run
from mprun.cli.commands import query, show
from mprun.log.codec.seal_lines import sealed
from mprun.log.export.formats import FORMATS
from mprun.log.export.run_log import RunLog
from mprun.log.seals import Chain
from mprun.log.verifying.verify import verify
from mprun.runs.find import find_run

# What a later version might say of a result. The last two look like what the readers look for.
FIELDS = {
    "a number": b'"new":1',
    "an object": b'"new":{"step":"numbers","task":0,"outcome":"returned","result":666,"duration":9.5,"waited":7.5}',
    "a text": rb'"new":",\"outcome\":\"returned\",\"result\":666,\"duration\":9.5}\n"',
}
POSITIONS: dict[str, Callable[[bytes, bytes], bytes]] = {
    "first": lambda line, field: b"{%b,%b" % (field, line[1:]),
    "before the step": lambda line, field: line.replace(b',"step":', b',%b,"step":' % field, 1),
    "before the outcome": lambda line, field: line.replace(b',"outcome":', b',%b,"outcome":' % field, 1),
    "before the duration": lambda line, field: (b',%b,"duration":' % field).join(line.rsplit(b',"duration":', 1)),
    "last": lambda line, field: b"%b,%b}\n" % (line.removesuffix(b"}\n"), field),
}
# After each start of a step; the first is of a kind that results are of, the second has next to nothing.
EVENTS = (
    b'{"seq":0,"ts":"2026-01-31T09:30:00.000000Z","event":"later.result","step":"numbers","worker":1,"task":6,'
    b'"attempt":1,"outcome":"returned","result":666,"duration":9.5,"waited":7.5}\n',
    b'{"seq":0,"ts":"2026-01-31T09:30:00.000000Z","event":"later"}\n',
)
# OpenTelemetry's log records take over whatever an event has.
NEW_ATTRIBUTE = re.compile(r',{"key":"[\w.]*new","value":{"intValue":"1"}}')
QUERY = "select step, task, key, attempt, outcome, result, final from tasks order by step, task, attempt"

Change = Callable[[bytes], Iterator[bytes]]


def with_field(position: str, field: str) -> Change:
    def change(line: bytes) -> Iterator[bytes]:
        is_result = json.loads(line)["event"] in RESULTS
        yield POSITIONS[position](line, FIELDS[field]) if is_result else line

    return change


def in_every_event(line: bytes) -> Iterator[bytes]:
    yield line if b'"event":"log.sealed"' in line else POSITIONS["last"](line, FIELDS["a number"])


def with_events(line: bytes) -> Iterator[bytes]:
    yield line
    if json.loads(line)["event"] == "step.started":
        yield from EVENTS


CHANGES: dict[str, Change] = {
    **{f"{field}, {place}": with_field(place, field) for place in POSITIONS for field in FIELDS},
    "a number, in every event": in_every_event,
    "events": with_events,
}


def rewrite(old: OldRun, change: Change) -> None:
    """Put what `change` gives for each line in its place, and seal the log anew. The index, which knows seals, goes."""
    head = json.loads(old.log.with_suffix(".head").read_text())
    lines = [new for line in old.log.read_bytes().splitlines(keepends=True) for new in change(line)]
    chain, written = Chain(), []
    for number, line in enumerate(lines):
        if b'"event":"log.sealed"' in line:
            known = {"seq": number, "ts": json.loads(line)["ts"], "event": "log.sealed", **chain.fields()}
            line, seal = sealed(json.dumps(known, separators=(",", ":")).encode() + b"\n")
            chain.go_on(seal)
            head |= {"bytes": chain.start + len(line), "lines": number + 1, "seal": seal}
        else:
            line = re.sub(rb'"seq":\d+', b'"seq":%d' % number, line, count=1)
        chain.cover(line, 1)
        written.append(line)
    head.pop("signature", None)
    old.log.write_bytes(b"".join(written))
    old.log.with_suffix(".head").write_text(json.dumps(head) + "\n")
    old.log.parent.with_name("index.jsonl").unlink()


@pytest.fixture
def old(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OldRun:
    run = copy_of(VERSIONS[-1], request.param, tmp_path / "project")
    monkeypatch.chdir(run.mprun.folder)
    return run


each_change = pytest.mark.parametrize("what", CHANGES)


def run(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("old", names, indirect=True)


@each_change
@run("succeeded", "failed", "killed", "resumed", "counted")
def test_it_verifies_and_python_reads_it(old: OldRun, what: str) -> None:
    """Known events are of their class, whatever else they have."""
    before = [type(event).__name__ for event in read_run(old.log)]
    rewrite(old, CHANGES[what])
    verdict = verify(find_run(old.run_id, RUNS_DIR))
    assert verdict.word == old.expected["verdict"]
    assert [finding.what for finding in verdict.findings] == old.expected.get("findings", [])
    events = list(read_run(old.log))
    assert [type(event).__name__ for event in events if not isinstance(event, OtherEvent)] == before
    assert any(event.model_extra for event in events)


@each_change
@run("failed", "killed")
def test_the_readers_say_the_same(old: OldRun, what: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = said(old, capsys)
    size = old.log.stat().st_size
    rewrite(old, CHANGES[what])
    assert old.log.stat().st_size > size
    after = said(old, capsys)
    for reader, text in before.items():
        assert after[reader] == text, reader


def said(old: OldRun, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """What each reader says of the run."""
    show.command(old.run_id, runs_dir=RUNS_DIR)
    found = {"show": capsys.readouterr().out}
    for task in old.expected["about"]:
        if not task.startswith("shared."):
            show.command(old.run_id, task, runs_dir=RUNS_DIR)
            found[f"show {task}"] = capsys.readouterr().out
    query.command(old.run_id, QUERY, runs_dir=RUNS_DIR, as_json=True)
    found["query"] = capsys.readouterr().out
    found |= {form: "".join(FORMATS[form](RunLog(str(old.log)))) for form in FORMATS}
    found["otlp"] = NEW_ATTRIBUTE.sub("", found["otlp"])
    return found


ENDS = ("a number, last", "a text, last", "a number, in every event")


@each_change
@run("killed")
def test_it_is_resumed(old: OldRun, what: str) -> None:
    """What has returned is reused: with its own result, key and duration, and none of what only looks like one."""
    before = old.events()
    rewrite(old, CHANGES[what])
    code, _, errors = old("resume", old.run_id, "-q")
    assert (code, errors) == (0, "")
    log = old.mprun.log()
    assert reused_in(log, old.run_id) == returned_in(before)
    for step, results in old.expected["resume"]["results"].items():
        assert [result for _, result in sorted(values(log, step))] == results, step
    keys = {event.get("key") for event in log if event["event"] == "task.result" and event["step"] == "numbers"}
    assert keys == {f"n{number}" for number in range(7)}
    durations = {event["duration"] for event in log if "reused" in event}
    assert durations <= {event.get("duration") for event in before}


@each_change
@run("killed")
def test_what_is_left_is_explained(old: OldRun, what: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = old.explanation(capsys)
    rewrite(old, CHANGES[what])
    assert old.explanation(capsys) == before
