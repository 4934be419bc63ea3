"""Whatever is done to a log, it is not verified; and what was done is named where that can be known."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from log_checks import check_lines
from logs_by_hand import RUN_ID, lines_of, returned, small_run, write_run

from mprun.errors.exceptions import UsageError
from mprun.log.codec import columns
from mprun.log.verifying.chain import check_chain
from mprun.log.verifying.complete import check_complete
from mprun.log.verifying.parse import Returned, parse
from mprun.log.verifying.tasks import TaskRanges, runs_of
from mprun.log.verifying.verify import Verdict, verify
from mprun.runs.find import RunFiles, find_run
from mprun.runs.index import append

LINES = list(lines_of(small_run()))
LOG = b"".join(LINES)


@pytest.fixture(autouse=True)
def _a_few_lines_are_read_in_bulk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "WORTH_IT", 0)


@pytest.fixture
def run(tmp_path: Path) -> RunFiles:
    """A finished run in a folder of runs, with its head and its place in the index."""
    log = write_run(tmp_path / "runs" / RUN_ID, small_run())
    index = str(tmp_path / "runs" / "index.jsonl")
    append(index, "run.started", RUN_ID)
    append(index, "run.finished", RUN_ID, outcome="failed", seal=json.loads(LINES[-1])["seal"])
    return find_run(str(log), str(tmp_path))


def told(verdict: Verdict) -> list[str]:
    return [finding.text() for finding in verdict.findings]


def test_the_log_that_the_others_are_made_of_is_good(run: RunFiles) -> None:
    check_lines(LOG)
    verdict = verify(run)
    assert (verdict.word, verdict.findings, verdict.notes) == ("VERIFIED", (), ())
    assert (verdict.lines, verdict.bytes) == (len(LINES), len(LOG)) == (verdict.good_lines, verdict.good_bytes)
    assert verdict.seal == json.loads(LINES[-1])["seal"]


def alone(log: bytes) -> str:
    """The word for a log that has neither head nor index, without a file."""
    chain = check_chain(io.BytesIO(log))
    if chain.findings:
        return "TAMPERED"
    complete = check_complete(io.BytesIO(log))
    if any(finding.kind == "tampered" for finding in complete.findings):
        return "TAMPERED"
    whole = complete.finish and not complete.findings and not chain.torn and chain.good_lines == chain.lines
    return "VERIFIED" if whole else "INCOMPLETE"


def test_each_line_dropped_doubled_swapped_is_named(run: RunFiles) -> None:
    for number in range(1, len(LINES)):
        before, line, after = LINES[: number - 1], LINES[number - 1], LINES[number:]
        for lines, place in (
            ([*before, *after], number),
            ([*before, line, line, *after], number + 1),
            ([*before, after[0], line, *after[1:]], number),
        ):
            log = b"".join(lines)
            expected = "TAMPERED" if number < len(LINES) - 1 or len(lines) >= len(LINES) else "INCOMPLETE"
            assert alone(log) in (expected, "TAMPERED")
            Path(run.log).write_bytes(log)
            verdict = verify(run)
            assert verdict.word == "TAMPERED"
            assert any(finding.first_line <= place <= finding.last_line for finding in verdict.findings)
            assert any(text.startswith(f"line {place:,}: its `seq`") for text in told(verdict)), (number, told(verdict))


def test_only_what_was_sealed_together_is_suspected(run: RunFiles) -> None:
    """A changed result: the lines between two seals, and no others."""
    Path(run.log).write_bytes(LOG.replace(b'"task":2,', b'"task":7,'))
    verdict = verify(run)
    seals = [number for number, line in enumerate(LINES, 1) if b'"log.sealed"' in line]
    changed = next(number for number, line in enumerate(LINES, 1) if b'"task":2,' in line)
    first = max(number for number in seals if number < changed)
    last = min(number for number in seals if number > changed) - 1
    start, end = (len(b"".join(LINES[:number])) for number in (first - 1, last))
    assert f"lines {first} to {last} (bytes {start:,} to {end:,}): not what was sealed" in told(verdict)
    assert sum("sealed" in text for text in told(verdict)) == 1
    assert (verdict.good_lines, verdict.good_bytes) == (first, start + len(LINES[first - 1]))


def test_added_bytes_do_not_spoil_what_comes_after(run: RunFiles) -> None:
    Path(run.log).write_bytes(LOG.replace(b"no luck", b"no luck at all", 1))
    assert sum("not what was sealed" in text for text in told(verify(run))) == 1


def test_several_changes_are_all_told(run: RunFiles) -> None:
    Path(run.log).write_bytes(LOG.replace(b"small", b"smell").replace(b'"task":3,', b'"task":4,'))
    assert sum("not what was sealed" in text for text in told(verify(run))) == 2


def replace_log(run: RunFiles) -> None:
    """Another whole log, sealed anew, with its own head."""
    folder = Path(run.folder)
    shutil.rmtree(folder)
    write_run(folder, small_run(tasks=5))


def change_index(run: RunFiles) -> None:
    append(run.index, "run.started", "later")
    index = Path(run.index)
    index.write_bytes(index.read_bytes().replace(b"failed", b"passed"))


def of_another(run: RunFiles) -> None:
    shutil.rmtree(run.folder)
    write_run(Path(run.folder), small_run("20260131-093000-000-11111111"))


def append_to(what: bytes) -> Callable[[RunFiles], None]:
    def change(run: RunFiles) -> None:
        with open(run.log, "ab") as log:
            log.write(what)

    return change


def set_in_head(**values: Any) -> Callable[[RunFiles], None]:
    def change(run: RunFiles) -> None:
        head = Path(run.head)
        head.write_text(json.dumps({**json.loads(head.read_text()), **values}))

    return change


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (replace_log, "the index of runs has another last seal for this run"),
        (change_index, "line 3 of the index of runs breaks its chain"),
        (of_another, f"the folder is {RUN_ID}, and the log is that of run 20260131-093000-000-11111111"),
        (append_to(b"x"), f"the log was finished with {len(LINES)} lines, {len(LOG):,} bytes"),
        (
            append_to(b'{"seq":27}\n'),
            f"line {len(LINES) + 1}: it is not an event: a JSON object with `seq` and `event`",
        ),
        (set_in_head(seal="0" * 64), f"the head's seal is not the one at byte {len(LOG):,} of the log"),
        (set_in_head(lines=3), f"the log was finished with 3 lines, {len(LOG):,} bytes"),
        (set_in_head(bytes="many"), "the head events.head is not as mprun writes it"),
        (lambda run: Path(run.head).write_text("{"), "the head events.head is not as mprun writes it"),
    ],
)
def test_what_is_beside_the_log_is_held_against_it(
    run: RunFiles, change: Callable[[RunFiles], None], expected: str
) -> None:
    change(run)
    verdict = verify(run)
    assert verdict.word == "TAMPERED"
    assert expected in told(verdict)


def test_a_run_that_was_copied_elsewhere(run: RunFiles, tmp_path: Path) -> None:
    """Verifies without the index; the log alone does too, and it is said what that can't tell."""
    copy = tmp_path / "copy"
    shutil.copytree(run.folder, copy)
    assert verify(find_run(str(copy), "")).word == "VERIFIED"
    (copy / "events.head").unlink()
    verdict = verify(find_run(str(copy / "events.jsonl"), ""))
    assert verdict.word == "VERIFIED"
    assert verdict.notes == ("there is no head beside the log: only the log itself says that its end was not cut off",)


def test_what_is_after_the_last_seal_is_not_called_good(run: RunFiles) -> None:
    """As a writer leaves it that was killed."""
    whole = b"".join(LINES[:16])
    Path(run.log).write_bytes(whole + LINES[16][:20])
    Path(run.head).unlink()
    Path(run.index).unlink()
    verdict = verify(find_run(run.log, ""))
    sealed = max(number for number, line in enumerate(LINES[:16], 1) if b'"log.sealed"' in line)
    start = len(b"".join(LINES[:sealed]))
    assert verdict.word == "INCOMPLETE"
    assert (verdict.good_lines, verdict.good_bytes) == (sealed, start)
    assert told(verdict) == [
        f"line 17 (bytes {len(whole):,} to {len(whole) + 20:,}): torn: it is left out",
        "there is no `run.finished`: the run was ended before it could finish its log",
        f"lines {sealed + 1} to 16 (bytes {start:,} to {len(whole):,}): not sealed",
    ]


def test_a_head_that_is_behind_the_log_is_right(run: RunFiles) -> None:
    """It is written once a second."""
    number = next(number for number, line in enumerate(LINES, 1) if b'"log.sealed"' in line)
    set_in_head(
        bytes=len(b"".join(LINES[:number])),
        lines=number,
        seal=json.loads(LINES[number - 1])["seal"],
        finished=False,
    )(run)
    assert verify(run).word == "VERIFIED"


# -- complete


def without(name: str, nth: int = 0) -> Callable[[list[dict[str, Any]]], None]:
    def change(events: list[dict[str, Any]]) -> None:
        del events[[number for number, event in enumerate(events) if event["event"] == name][nth]]

    return change


def changed(name: str, **values: Any) -> Callable[[list[dict[str, Any]]], None]:
    def change(events: list[dict[str, Any]]) -> None:
        next(event for event in events if event["event"] == name).update(values)

    return change


def doubled(name: str) -> Callable[[list[dict[str, Any]]], None]:
    def change(events: list[dict[str, Any]]) -> None:
        number = next(number for number, event in enumerate(events) if event["event"] == name)
        events.insert(number, events[number])

    return change


def fewer_tasks(events: list[dict[str, Any]]) -> None:
    """All counts agree."""
    without("task.result", 3)(events)
    events[-2].update(tasks=3, returned=3)
    events[-1].update(tasks=4, returned=3)


def finalized(*more: Callable[[list[dict[str, Any]]], None]) -> Callable[[list[dict[str, Any]]], None]:
    """With a finalizer, of which the log tells as it should, and then `more`."""

    def change(events: list[dict[str, Any]]) -> None:
        changed("pool.started", finalizer="jobs:give")(events)
        joined = next(number for number, event in enumerate(events) if event["event"] == "worker.joined")
        about = {"ts": events[0]["ts"], "step": "pool", "worker": 1, "pid": 12}
        events.insert(
            joined, {**about, "event": "worker.finalized", "outcome": "returned", "result": 1, "duration": 0.1}
        )
        for each in more:
            each(events)

    return change


# What a faulty or lying writer would seal.
INCOMPLETE = {
    "a step without its end": (without("step.finished", 1), "the step `pool` is neither finished nor skipped"),
    "a step that is not told of": (without("step.skipped"), "the step `after` is neither finished nor skipped"),
    "a step that is not declared": (changed("step.skipped", step="other"), "the step `other` is not declared"),
    "a process without its join": (without("process.joined"), "process.started without its process.joined"),
    "a worker without its join": (without("worker.joined"), "worker.started without its worker.joined"),
    "a join without its worker": (without("worker.started"), "`worker.joined` without its worker.started"),
    "a pool without its join": (without("pool.joined"), "pool.started without its pool.joined"),
    "a task without a result": (without("task.result", 2), "tasks 2 to 2 of `pool` have no result"),
    "a task with two results": (doubled("task.result"), "task 0 of `pool` has a second result"),
    "a task too many": (changed("task.result", task=9), "the counts of the step `pool` are not those of its results"),
    "a process with two results": (doubled("process.result"), "task 0 of `bad` has a second result"),
    "another outcome": (changed("task.result", outcome="lost"), "the counts of the step `pool`"),
    "fewer tasks than announced": (fewer_tasks, "the step `pool` announced 4 tasks and has finished with 3"),
    "a wrong sum": (changed("run.finished", returned=5), "the counts of `run.finished` are not the sum"),
    "a count that is none": (changed("run.finished", tasks="5"), "the counts of `run.finished` are not the sum"),
    "a worker without its finalizer": (
        finalized(without("worker.finalized")),
        "worker 1 of `pool` is joined, and its `worker.finalized` is missing",
    ),
    "a finalizer told twice": (
        finalized(doubled("worker.finalized")),
        "the finalizer of worker 1 of `pool` isn't expected, or was logged before",
    ),
    "a finalizer that the pool hasn't": (
        finalized(lambda events: next(each for each in events if each["event"] == "pool.started").pop("finalizer")),
        "the finalizer of worker 1 of `pool` isn't expected",
    ),
    "two heads": (doubled("run.started"), "`run.started` is the first line, and there is one"),
    "no end": (without("run.finished"), "there is no `run.finished`"),
    "a key that is missing": (changed("step.started", step=[]), "`step.started` lacks a key that it must have"),
}


@pytest.mark.parametrize("what", INCOMPLETE)
def test_a_log_that_was_sealed_but_is_not_whole(what: str, tmp_path: Path) -> None:
    change, expected = INCOMPLETE[what]
    events = small_run()
    change(events)
    verdict = verify(find_run(str(write_run(tmp_path / "run", events)), ""))
    assert verdict.word == "INCOMPLETE"
    assert any(expected in text for text in told(verdict)), told(verdict)


def test_a_log_that_tells_of_each_finalizer(tmp_path: Path) -> None:
    """A worker that could not be set up has none."""
    events = small_run()
    finalized()(events)
    assert verify(find_run(str(write_run(tmp_path / "run", events)), "")).word == "VERIFIED"
    unready = {**next(each for each in events if each["event"] == "worker.finalized"), "event": "worker.unready"}
    events[[each["event"] for each in events].index("worker.finalized")] = unready
    assert verify(find_run(str(write_run(tmp_path / "other", events)), "")).word == "VERIFIED"


def test_what_this_version_does_not_know_is_accepted(tmp_path: Path) -> None:
    events = small_run()
    events.insert(3, {"ts": events[0]["ts"], "event": "step.paused", "step": "bad"})
    events[0]["log_format"] = "1.7"
    events[-1]["colour"] = "blue"
    assert verify(find_run(str(write_run(tmp_path / "run", events)), "")).word == "VERIFIED"


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    events = small_run()
    events[0].update(log_format="2.0", mprun="3.1")
    log = write_run(tmp_path / "run", events)
    with pytest.raises(UsageError, match=r"has log format 2\.0, and this mprun reads up to 1\.1: mprun 3\.1 wrote it"):
        verify(find_run(str(log), ""))


ODD_RESULTS = [0, -1, 1.5, 1e300, None, True, "", 'a "quote"', "ünï", [1, {"event": "log.sealed"}], {"task": 3}, 10**40]


def test_results_of_every_kind_are_counted_alike(tmp_path: Path) -> None:
    """Those that the quick expression takes, and those that it leaves."""
    events = small_run(tasks=len(ODD_RESULTS))
    first = next(number for number, event in enumerate(events) if event["event"] == "task.result")
    events[first : first + len(ODD_RESULTS)] = [returned("pool", *pair) for pair in enumerate(ODD_RESULTS)]
    assert verify(find_run(str(write_run(tmp_path / "run", events)), "")).word == "VERIFIED"


@pytest.mark.parametrize("tail", [b'"result":01}', b'"result":1,"task":0}', b'"result":NaN}', b'"result":"\xff"}'])
def test_what_only_looks_like_a_result_is_parsed(tail: bytes) -> None:
    """Wrong numbers, a key that stands there twice, no JSON, no UTF-8."""
    result = json.dumps({"seq": 13, **returned("pool", 1, 0)}, separators=(",", ":")).encode()
    number = next(number for number, line in enumerate(LINES) if b'"task":1,' in line)
    lines = [*LINES[:number], result.replace(b'"result":0', tail[:-1]) + b"\n", *LINES[number + 1 :]]
    findings = check_complete(io.BytesIO(b"".join(lines))).findings
    assert findings
    assert findings[0].first_line in (number + 1, 0)


def test_a_file_without_an_end_of_line_is_not_read_into_memory(tmp_path: Path) -> None:
    log = tmp_path / "zeros"
    with log.open("wb") as file:
        file.truncate(20_000_000)
    assert verify(RunFiles("zeros", str(log))).word == "INCOMPLETE"


def test_results_in_bulk_say_what_their_lines_say() -> None:
    events = [{"seq": 3 + task, **returned("pool", task, task)} for task in (5, 6, 7, 1, 2)]
    events = [{**event, "seq": 3 + number} for number, event in enumerate(events)]
    lines = [json.dumps(event, separators=(",", ":")).encode() + b"\n" for event in events]
    (bulk,) = parse(b"".join(lines))
    assert bulk == Returned("pool", 3, [(5, 8), (1, 3)])
    assert (list(bulk.tasks), bulk.lines) == ([5, 6, 7, 1, 2], 5)
    assert parse(b"".join([lines[0], *lines[2:]])) == [lines[0], *lines[2:]]


# -- ranges of tasks


def test_ranges_of_tasks() -> None:
    tasks = TaskRanges()
    assert [tasks.add(*some) for some in ((5, 7), (0, 2), (2, 3), (4, 5), (9, 10))] == [True] * 5
    assert [tasks.add(*some) for some in ((0, 1), (6, 8), (3, 5), (0, 20), (9, 10), (2, 4))] == [False] * 6
    assert list(tasks.missing(12)) == [(3, 4), (7, 9), (10, 12)]
    assert list(tasks.missing(6)) == [(3, 4)]
    assert tasks.add(3, 4)
    assert list(tasks.missing(7)) == []
    assert tasks.end == 10


@pytest.mark.parametrize(
    ("tasks", "runs"),
    [
        ([3], [(3, 4)]),
        ([1, 2, 3], [(1, 4)]),
        ([5, 6, 1, 2], [(5, 7), (1, 3)]),
        ([2, 2], [(2, 3), (2, 3)]),
        ([1, 3, 3], [(1, 2), (3, 4), (3, 4)]),
    ],
)
def test_runs_of_tasks(tasks: list[int], runs: list[tuple[int, int]]) -> None:
    assert list(runs_of(tasks)) == runs
