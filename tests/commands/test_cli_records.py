"""The commands that look at runs, as a user meets them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from command_line import CommandLine, process_put_back
from logs_by_hand import RUN_ID, small_run, write_run

from mprun.cli.main import run_command_line
from mprun.log.reading.story import Story
from mprun.runs.history import PastRun
from mprun.runs.index import append, read_index
from mprun.runs.prune import Keep, folder_size, to_prune
from mprun.sinks.story_text import story_text

OTHER_ID = "20260201-093000-000-11111111"


@pytest.fixture
def kept(mprun: CommandLine) -> CommandLine:
    """A folder with two runs that have ended."""
    for run_id in (RUN_ID, OTHER_ID):
        write_run(mprun.folder / ".mprun" / "runs" / run_id, small_run(run_id))
    return mprun


def log_of(kept: CommandLine, run_id: str = RUN_ID) -> Path:
    return kept.folder / ".mprun" / "runs" / run_id / "events.jsonl"


# -- which run


@pytest.mark.parametrize(
    "reference",
    [
        RUN_ID,
        "20260131",
        "latest",
        f".mprun/runs/{RUN_ID}",
        f".mprun/runs/{RUN_ID}/",
        f".mprun/runs/{RUN_ID}/events.jsonl",
    ],
)
def test_a_run_is_named_in_many_ways(kept: CommandLine, reference: str) -> None:
    ran = kept("verify", reference)
    expected = OTHER_ID if reference == "latest" else RUN_ID
    assert (ran.code, ran.stdout.split(":")[0]) == (0, expected)


NO_RUN = {
    "an unknown one": ("x", f"error: there is no run `x` in .mprun/runs; the latest are {RUN_ID}, {OTHER_ID}\n"),
    "a slip": (RUN_ID[:-1] + "1", f"error: there is no run `{RUN_ID[:-1]}1` in .mprun/runs: did you mean `{RUN_ID}`"),
    "two of them": ("2026", f"error: `2026` is the beginning of 2 runs: {RUN_ID}, {OTHER_ID}\n"),
    "nothing": ("", "error: there is no run ``"),
    "not a run's folder": (".mprun", "error: .mprun is not the folder of a run: there is no events.jsonl in it\n"),
    "a path to nothing": ("a/b.jsonl", "error: there is no log at a/b.jsonl\n"),
}


@pytest.mark.parametrize("command", ["verify", "show", "logs"])
@pytest.mark.parametrize("what", NO_RUN)
def test_no_run(kept: CommandLine, what: str, command: str) -> None:
    reference, told = NO_RUN[what]
    ran = kept(command, reference)
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr.startswith(told)


@pytest.mark.parametrize("reference", ["latest", "x"])
def test_no_runs_at_all(mprun: CommandLine, reference: str) -> None:
    ran = mprun("verify", reference)
    assert (ran.code, ran.stdout) == (2, "")
    assert ".mprun/runs" in ran.stderr


# -- verify


def damage(log: Path) -> None:
    log.write_bytes(log.read_bytes().replace(b'"result":4', b'"result":5'))


def cut(log: Path) -> None:
    log.write_bytes(log.read_bytes()[:-400])
    log.with_suffix(".head").unlink()


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [(lambda log: None, 0, "VERIFIED"), (damage, 4, "TAMPERED"), (cut, 5, "INCOMPLETE")],
)
def test_the_last_word_and_the_code(kept: CommandLine, change: Callable[[Path], None], code: int, words: str) -> None:
    change(log_of(kept))
    ran = kept.shell(f"$MPRUN verify {RUN_ID}")
    assert (ran.code, ran.stdout.split()[-1], ran.stderr) == (code, words, "")
    assert kept.unchecked("verify", OTHER_ID, RUN_ID).code == code
    (document,) = json.loads(kept.unchecked("verify", RUN_ID, "--json").stdout)
    assert (document["run"], document["verdict"], bool(document["findings"])) == (RUN_ID, words, code != 0)


def test_what_was_changed_is_told_with_its_place(kept: CommandLine) -> None:
    damage(log_of(kept))
    ran = kept.unchecked("verify", RUN_ID)
    assert re.match(rf"{RUN_ID}: lines \d+ to \d+ \(bytes [\d,]+ to [\d,]+\): not what was sealed\n", ran.stdout)


def test_a_run_that_was_signed(mprun: CommandLine) -> None:
    mprun.write("jobs.py", "def work(): pass")
    mprun.write("flow.yaml", "processes: {one: {target: 'jobs:work'}}")
    keys = "openssl genpkey -algorithm ed25519 -out a.pem && openssl pkey -in a.pem -pubout -out a.pub"
    mprun.shell(f"{keys} && {keys.replace('a.p', 'b.p')}")
    assert mprun("flow.yaml", "--sign-key", "a.pem").code == 0
    assert mprun("verify", "latest").code == 0
    assert mprun("verify", "latest", "--key", "a.pub").code == 0
    other = mprun("verify", "latest", "--key", "b.pub")
    assert (other.code, "the signature is not that of this log and this key" in other.stdout) == (4, True)
    mprun("flow.yaml")
    unsigned = mprun("verify", "latest", "--key", "a.pub")
    assert (unsigned.code, unsigned.stdout.split()[-1]) == (6, "UNSIGNED")


def test_a_signature_needs_a_file_beside_the_log(mprun: CommandLine) -> None:
    mprun.write("jobs.py", "def work(): pass")
    mprun.write("flow.yaml", "processes: {one: {target: 'jobs:work'}}")
    ran = mprun("flow.yaml", "--log", "-", "--sign-key", "a.pem")
    assert ran.code == 2
    assert ran.stderr == "error: `--sign-key` needs a log in a file: the signature stands in the file beside it\n"
    missing = mprun("flow.yaml", "--sign-key", "a.pem")
    assert (missing.code, missing.stderr) == (2, "error: the key a.pem can't be read: No such file or directory\n")
    assert not (mprun.folder / ".mprun").exists()


# -- runs


def test_the_runs_so_far(kept: CommandLine) -> None:
    """The latest is the last; what is no run is no row."""
    (kept.folder / ".mprun/runs/notes.txt").write_text("mine")
    lines = kept("runs").stdout.splitlines()
    assert lines[0].split() == ["run", "workflow", "started", "(UTC)", "took", "outcome", "tasks"]
    assert [line.split()[0] for line in lines[1:]] == [RUN_ID, OTHER_ID]
    assert re.split(r"\s{2,}", lines[1])[1:] == [
        "small",
        "2026-01-31 09:30:00",
        "2.000 s",
        "failed",
        "5: 4 returned, 1 raised",
    ]
    documents = json.loads(kept("runs", "--json").stdout)
    assert [document["run_id"] for document in documents] == [RUN_ID, OTHER_ID]
    assert documents[0]["outcomes"] == {"returned": 4, "raised": 1}


def test_a_run_that_crashed_and_one_that_is_gone(kept: CommandLine) -> None:
    log = log_of(kept)
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:10]))
    index = str(log.parent.with_name("index.jsonl"))
    append(index, "run.started", "20260101-000000-000-22222222")
    (log.parent.with_name("20260301-000000-000-33333333")).mkdir()
    log_of(kept, OTHER_ID).write_bytes(b"no log\n")
    states = [(run["run_id"][:8], run["state"]) for run in json.loads(kept.unchecked("runs", "--json").stdout)]
    assert states == [
        ("20260101", "missing"),
        ("20260131", "incomplete"),
        ("20260201", "unreadable"),
        ("20260301", "incomplete"),
    ]


HEAD, END = 0, -2  # the lines of a log that a list of runs is read from
DAMAGED: dict[str, tuple[int, bytes, bytes]] = {
    "a name that is no text": (HEAD, b'"name":"small"', b'"name":5'),
    "no name": (HEAD, b'"name":"small",', b""),
    "a time that is no text": (HEAD, b'"ts":"2026-01-31T09:30:00.000000Z"', b'"ts":[1]'),
    "steps that are no list": (HEAD, b'"steps":[', b'"steps":5,"x":['),
    "an outcome that is no text": (END, b'"outcome":"failed"', b'"outcome":{}'),
    "a duration that is no number": (END, b'"duration":2.0', b'"duration":"long"'),
    "a count that is no number": (END, b'"raised":1', b'"raised":"one"'),
}


@pytest.mark.parametrize("what", DAMAGED)
def test_a_log_that_was_damaged_is_a_row_all_the_same(kept: CommandLine, what: str) -> None:
    number, old, new = DAMAGED[what]
    lines = log_of(kept).read_bytes().splitlines(keepends=True)
    assert old in lines[number]
    lines[number] = lines[number].replace(old, new)
    log_of(kept).write_bytes(b"".join(lines))
    rows = [re.split(r"\s{2,}", line) for line in kept.unchecked("runs").stdout.splitlines()[1:]]
    assert [(row[0], row[-1]) for row in rows] == [(RUN_ID, "unreadable"), (OTHER_ID, "5: 4 returned, 1 raised")]


def test_a_time_without_its_zone_is_no_time(kept: CommandLine) -> None:
    log = log_of(kept)
    log.write_bytes(log.read_bytes().replace(b'"ts":"2026-01-31T09:30:00.000000Z"', b'"ts":"2026-01-31"', 1))
    assert [run["run_id"] for run in json.loads(kept.unchecked("runs", "--json", "--since", "2026-01-01").stdout)] == [
        OTHER_ID
    ]


@pytest.mark.parametrize(
    "line", ["[" * 3000, "[]", '{"event":"run.started","run_id":[1]}', '{"event":{},"run_id":"x"}']
)
def test_an_index_with_a_line_that_is_no_entry(kept: CommandLine, line: str) -> None:
    index = log_of(kept).parent.with_name("index.jsonl")
    for run_id in (RUN_ID, OTHER_ID):
        append(str(index), "run.started", run_id)
    index.write_text(f"{index.read_text()}{line}\n")
    assert kept("runs").stdout.count("failed") == 2
    assert kept("verify", RUN_ID).code == 0


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--failed",), ["failed", "interrupted"]),
        (("--workflow", "good"), ["succeeded"]),
        (("--workflow", "good.yaml"), ["succeeded"]),
        (("--workflow", "/flows/good.yaml"), ["succeeded"]),
        (("--since", "2026-02-01"), []),
        (("--since", "2026-01-31"), ["failed", "interrupted", "succeeded"]),
        (("--since", "1d"), []),
        (("--since", "5000w"), ["failed", "interrupted", "succeeded"]),
    ],
)
def test_only_some_runs(mprun: CommandLine, options: tuple[str, ...], expected: list[str]) -> None:
    for number, (name, outcome) in enumerate([("a", "failed"), ("a", "interrupted"), ("good", "succeeded")]):
        events = small_run(f"run-{number}", name=name)
        events[-1]["outcome"] = outcome
        write_run(mprun.folder / ".mprun/runs" / f"run-{number}", events)
    assert [run["state"] for run in json.loads(mprun("runs", "--json", *options).stdout)] == expected


WRONG_OPTIONS = {
    "since": (("runs", "--since", "soon"), "error: --since takes a time such as `7d`, or a date such as `2026-01-31`"),
    "since, too long": (("runs", "--since", "9" * 30 + "d"), "error: --since takes a time such as `7d`"),
    "age": (("runs", "prune", "--older-than", "x"), "error: --older-than takes a time such as `7d`, `12h` or `30m`"),
    "size": (("runs", "prune", "--max-size", "2X"), "error: --max-size takes a size such as `500M` or `2G`"),
    "size, too large": (("runs", "prune", "--max-size", "9" * 400 + "G"), "error: --max-size takes a size such as"),
    "no bound": (("runs", "prune"), "error: say what is to be kept: `--keep N`"),
    "condition": (("logs", "latest", "-w", "duration = 2"), "error: the condition can't be read: equality is `==`"),
    "task": (("show", "latest", "cool[1]"), "error: there is no task `cool[1]`: the steps are bad, pool, after"),
    "a pool and no task": (("show", "latest", "pool"), "error: `pool` is a pool: which of its tasks"),
    "a task that is not there": (("show", "latest", "pool[99]"), "error: the log says nothing about `pool[99]`"),
}


@pytest.mark.parametrize("what", WRONG_OPTIONS)
def test_wrong_options(kept: CommandLine, what: str) -> None:
    arguments, told = WRONG_OPTIONS[what]
    ran = kept(*arguments)
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr.startswith(told)


def test_no_such_run_is_said(mprun: CommandLine) -> None:
    ran = mprun("runs")
    assert (ran.code, ran.stdout, ran.stderr) == (0, "", "there is no such run in .mprun/runs\n")


def test_a_thousand_runs(mprun: CommandLine) -> None:
    """Of each log only its beginning and its end are read."""
    runs = mprun.folder / ".mprun/runs"
    log = write_run(runs / "run-0000", small_run("run-0000", tasks=200), every=1000)
    data, head = log.read_bytes(), log.with_suffix(".head").read_bytes()
    middle = data.index(b'"task":100,')
    unread = data[:middle] + b"\0" * 100 + data[middle + 100 :]
    for number in range(1, 1000):
        folder = runs / f"run-{number:04}"
        folder.mkdir()
        (folder / "events.jsonl").write_bytes(unread)
        (folder / "events.head").write_bytes(head)
    ran = mprun.unchecked("runs")
    assert len(ran.stdout.splitlines()) == 1001
    assert ran.stdout.count("failed") == 1000


# -- runs prune


def test_prune_leaves_a_tombstone(mprun: CommandLine) -> None:
    mprun.write("jobs.py", "def work(): pass")
    mprun.write("flow.yaml", "processes: {one: {target: 'jobs:work'}}")
    for _ in range(3):
        mprun("flow.yaml", "-q")
    ids = [log.parent.name for log in sorted(mprun.folder.glob(".mprun/runs/*/events.jsonl"))]
    seals = [json.loads(log.read_bytes().splitlines()[-1])["seal"] for log in mprun.folder.glob(f"**/{ids[0]}/*.jsonl")]
    dry = mprun("runs", "prune", "--keep", "1", "--dry-run")
    assert [line.split()[:3] for line in dry.stdout.splitlines()] == [["would", "remove", run] for run in ids[:2]]
    assert len(mprun.logs()) == 3
    pruned = mprun("runs", "prune", "--keep", "1")
    assert [line.split()[:2] for line in pruned.stdout.splitlines()] == [["removed", run] for run in ids[:2]]
    assert [run["run_id"] for run in json.loads(mprun("runs", "--json").stdout)] == ids[2:]
    index = read_index(str(mprun.folder / ".mprun/runs/index.jsonl"))
    assert (index.broken, index.entries[ids[0]]["run.pruned"]["seal"]) == ((), seals[0])
    assert mprun("verify", "latest").code == 0


OUTSIDE = ("/victim", "../../../victim", "..")


@pytest.mark.parametrize("said", [OTHER_ID, *OUTSIDE])
def test_prune_removes_the_folder_that_it_lists_whatever_the_log_says(kept: CommandLine, said: str) -> None:
    """A run may be a copy of another one, or its log may have been changed: no other folder is touched."""
    victim = kept.folder / "victim"
    victim.mkdir()
    log, said = log_of(kept), f"{kept.folder}{said}" if said.startswith("/") else said
    log.write_bytes(log.read_bytes().replace(f'"run_id":"{RUN_ID}"'.encode(), f'"run_id":"{said}"'.encode(), 1))
    assert kept("runs", "prune", "--keep", "1").stdout.startswith(f"removed {RUN_ID} (failed")
    assert victim.exists()
    assert [run["run_id"] for run in json.loads(kept("runs", "--json").stdout)] == [OTHER_ID]


@pytest.mark.parametrize("said", OUTSIDE)
def test_prune_stays_inside_whatever_the_index_says(kept: CommandLine, said: str) -> None:
    victim = kept.folder / "victim"
    victim.mkdir()
    said = f"{kept.folder}{said}" if said.startswith("/") else said
    append(str(log_of(kept).parent.with_name("index.jsonl")), "run.started", said)
    pruned = kept("runs", "prune", "--keep", "1")
    assert pruned.stdout.startswith(f"removed {RUN_ID} (failed")
    assert pruned.stderr.endswith(" removed; 1 kept\n")
    assert victim.exists()


def test_prune_removes_only_what_is_listed(kept: CommandLine) -> None:
    """The options of `runs` choose, and what is not a run is neither counted nor removed."""
    runs = log_of(kept).parent.parent
    for foreign in ("zzz", "99999999-notes"):
        (runs / foreign).mkdir()
    listed = ("--workflow", "nope"), ("--since", "2026-12-31"), ("--failed", "--workflow", "nope")
    for options in listed:
        assert kept("runs", *options, "prune", "--keep", "0").stdout == ""
    assert kept("runs", "--failed", "prune", "--keep", "1", "--dry-run").stdout.split()[2] == RUN_ID
    assert kept("runs", "--json", "prune", "--keep", "1").code == 2
    kept("runs", "prune", "--keep", "0")
    assert sorted(each.name for each in runs.iterdir() if each.is_dir()) == ["99999999-notes", "zzz"]


def test_prune_beside_runs_that_begin_and_end(mprun: CommandLine) -> None:
    """A run at work has its folder from the first file to the last."""
    mprun.write("jobs.py", "def work(): return 'x' * 100_000")
    mprun.write("flow.yaml", "{processes: {one: {target: 'jobs:work'}, two: {target: 'jobs:work', needs: one}}}")
    script = """
        (while test ! -e stop; do $MPRUN runs prune --keep 0 >> pruned 2>&1 || echo failed; done) &
        for run in 1 2 3 4 5 6; do $MPRUN -q flow.yaml || echo lost; done
        touch stop; wait; cat pruned | grep -c ^removed
    """
    ran = mprun.shell(script)
    assert ran.stdout.split()[-1:] != ["0"]
    assert (set(ran.stdout.split()) & {"lost", "failed"}, ran.stderr) == (set(), "")


def test_a_file_that_goes_while_a_folder_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the head's new file does, once a second, of a run at work."""
    (tmp_path / "events.jsonl").write_bytes(b"12345")
    paths = [tmp_path / "events.head.new", tmp_path / "events.jsonl"]
    monkeypatch.setattr("mprun.runs.prune.Path", lambda _: SimpleNamespace(rglob=lambda _: paths))
    assert folder_size(str(tmp_path)) == 5


def past(run_id: str, days: float, state: str = "failed") -> PastRun:
    started = datetime(2026, 1, 31, tzinfo=UTC) - timedelta(days=days)
    return PastRun(run_id, state, started=started.isoformat())  # type: ignore[arg-type]


PAST = [past("e", 9), past("d", 5), past("c", 3, "running"), past("b", 2), past("a", 1), PastRun("x", "incomplete")]


@pytest.mark.parametrize(
    ("keep", "pruned"),
    [
        (Keep(count=6), ""),
        (Keep(count=2), "edb"),
        (Keep(count=0), "edbax"),
        (Keep(age=timedelta(days=4)), "ed"),
        (Keep(size=300), "ed"),
        (Keep(size=0), "edbax"),
        (Keep(count=5, age=timedelta(days=1.5)), "e"),
        (Keep(count=3, age=timedelta(days=4)), "ed"),
        (Keep(count=2, size=300), "ed"),
        (Keep(count=3, size=0), "ed"),
        (Keep(count=0, age=timedelta(days=4)), "ed"),
    ],
)
def test_what_is_pruned(keep: Keep, pruned: str) -> None:
    """The oldest first; a run at work never. It takes its room all the same. The latest `count` stay in any case."""
    now = datetime(2026, 1, 31, tzinfo=UTC)
    assert "".join(run.run_id for run in to_prune(PAST, [100] * 6, keep, now)) == pruned


# -- show


def test_the_story_of_a_run(kept: CommandLine) -> None:
    told = kept("show", RUN_ID).stdout
    for line in (
        f"run       {RUN_ID}",
        "workflow  small (/flows/small.yaml)",
        "outcome   failed in 2.000 s: 5 tasks: 4 returned, 1 raised",
        "bad    failed in 0.500 s: 1 raised, 1 line of output",
        "after  skipped: it needs `bad`, which failed",
        "pool   succeeded in 1.000 s: 4 returned",
        "bad: raised: ValueError: no luck",
        "    called with (1)",
        "  bad: 0.500 s (raised)",
        "  pool 1: 4 attempts, busy 1.000 s, idle 0.000 s, 1 MiB at most, retired (pid 12)",
    ):
        assert line in told.splitlines()


def test_failures_are_told_by_their_cause(tmp_path: Path) -> None:
    """A hundred that look alike are told once; more kinds than anybody reads are counted."""
    story = Story()
    events = small_run()
    story.take(events[0])
    for task in range(300):
        trace = f'Traceback\n  File "jobs.py", line {max(200, task)}, in work\nValueError: {task}'
        fields = {"exception.type": "ValueError", "exception.message": str(task), "exception.stacktrace": trace}
        story.take({"seq": task, **events[4], "event": "task.result", "step": "pool", "task": task, **fields})
    assert len(story.causes) == 50
    first = next(iter(story.causes.values()))
    assert (first.count, first.tasks) == (201, [0, 1, 2, 3, 4])
    assert story.other_failures == 300 - 201 - 49
    assert "    and 200 more like it: pool[1], pool[2], pool[3], pool[4] …" in story_text(story, at_work=False)


def test_one_task(kept: CommandLine) -> None:
    expected = [
        "pool[2]",
        "  09:30:00.000  attempt 1 in worker 1: returned after 0.250 s",
        "    waited 0.125 s",
        "    result: 4",
    ]
    for task in ("pool[2]", "2", "[2]"):
        assert kept("show", "latest", task).stdout.splitlines() == expected
    told = kept("show", "latest", "bad").stdout
    assert '  09:30:00.000  stdout: a "line" with ünicode \\x1b[31m\n' in told
    assert "    args: [1]\n    kwargs: {}\n    ValueError: no luck\n" in told


def test_a_log_without_its_end_is_shown_as_far_as_it_goes(kept: CommandLine) -> None:
    log = log_of(kept)
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:13]) + b'{"seq":13,"ts"')
    told = kept.unchecked("show", RUN_ID).stdout
    assert "outcome   incomplete: the run was ended before it could finish its log" in told
    assert "pool   not finished: nothing has ended yet" in told


@pytest.mark.parametrize("command", ["show", "logs"])
def test_a_file_that_is_no_log(kept: CommandLine, command: str) -> None:
    for text in ("hello\n", "{}\n", '{"seq":0,"event":"run.started","steps":[{}]}\n'):
        kept.write("other.jsonl", text)
        ran = kept(command, "./other.jsonl")
        if command == "show" or "seq" not in text:
            assert (ran.code, ran.stdout) == (2, "")
            assert "./other.jsonl is no" in ran.stderr


@pytest.mark.parametrize("name", ["events.jsonl", "events.head", "plan.json", "../index.jsonl"])
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(kept: CommandLine, name: str) -> None:
    path = log_of(kept).parent / name
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    what = f"the {'log' if name == 'events.jsonl' else 'head'} .mprun/runs/{RUN_ID}/{name}"
    told = f"error: {what} can't be read: it is not a regular file\n"
    for command, refused in (
        (("verify", RUN_ID), name in ("events.jsonl", "events.head")),
        (("show", RUN_ID), name == "events.jsonl"),
        (("logs", RUN_ID), name == "events.jsonl"),
        (("export", RUN_ID, "-f", "chrome-trace"), name == "events.jsonl"),
        (("runs",), False),
    ):
        ran = kept.unchecked(*command)
        assert (ran.code, ran.stderr) == ((2, told) if refused else (0, ""))


# -- logs


def test_events_as_lines_for_people(kept: CommandLine) -> None:
    lines = kept("logs", RUN_ID).stdout.splitlines()
    assert len(lines) == len(small_run())
    assert lines[3] == '09:30:00.000  output            bad  a "line" with ünicode \\x1b[31m  pid=11  stream=stdout'
    assert (
        lines[12] == "09:30:00.000  task.result       pool[1]  returned 1 in 0.250 s  worker=1  attempt=1  waited=0.125"
    )


def test_events_as_they_stand_in_the_log(kept: CommandLine) -> None:
    assert kept("logs", RUN_ID, "--json").stdout.encode() == log_of(kept).read_bytes()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--event", "task.result"), ["task.result"] * 4),
        (("-e", "task.*", "-e", "run.started"), ["run.started", *["task.result"] * 4]),
        (("-e", "log.sealed"), ["log.sealed"] * 4),
        (("--step", "after"), ["step.skipped"]),
        (("--outcome", "raised"), ["process.result"]),
        (("-o", "raised", "-o", "failed"), ["process.result", "step.finished", "run.finished"]),
        (("-s", "bad", "-o", "failed"), ["step.finished"]),
        (("--where", "duration > 1s"), ["run.finished"]),
        (("-w", "result >= 4 and task != 3"), ["task.result"]),
        (("-w", "exception.type == 'ValueError'"), ["process.result"]),
        (("-w", "args.0 == 1"), ["process.result"]),
        (("-w", "'ünicode' in text"), ["output"]),
        (("-w", "steps.1.kind == 'pool'"), ["run.started"]),
        (("-e", "nothing"), []),
    ],
)
def test_only_some_events(kept: CommandLine, options: tuple[str, ...], expected: list[str]) -> None:
    ran = kept("logs", RUN_ID, "--json", *options)
    assert [json.loads(line)["event"] for line in ran.stdout.splitlines()] == expected
    assert ran.stderr == ""


def test_a_log_with_spaces_in_its_json_is_searched_too(kept: CommandLine) -> None:
    """Nothing is left out because it is written in another way."""
    log = kept.write(
        "spaced.jsonl", "".join(f"{json.dumps(json.loads(line))}\n" for line in log_of(kept).read_text().splitlines())
    )
    assert len(kept("logs", str(log), "--json", "-e", "task.result").stdout.splitlines()) == 4


def test_a_name_that_no_event_has_is_told(kept: CommandLine) -> None:
    ran = kept("logs", RUN_ID, "-w", "duratio > 1")
    assert (ran.stdout, ran.stderr) == (
        "",
        "note: none of these events has a key `duratio`; did you mean `duration`?\n",
    )
    assert kept("logs", RUN_ID, "-w", "outcome == rosy").stderr.endswith("has a key `rosy`; a text stands in quotes\n")


def test_a_reader_who_has_heard_enough(kept: CommandLine) -> None:
    write_run(kept.folder / "long", small_run(tasks=20_000), every=1000)
    ran = kept.shell("set -o pipefail; $MPRUN logs ./long | head -n 1; echo ${PIPESTATUS[0]}")
    assert (ran.stdout.splitlines()[-1], ran.stderr) == ("1", "")


def test_following_a_run_at_work(mprun: CommandLine) -> None:
    """From its beginning to its end, though it had only begun."""
    mprun.write(
        "jobs.py", "import pathlib, time\ndef wait():\n while not pathlib.Path('go').exists(): time.sleep(0.01)"
    )
    mprun.write("flow.yaml", "processes: {one: {target: 'jobs:wait'}}")
    script = """
        $MPRUN -q flow.yaml & run=$!
        until grep -q process.started .mprun/runs/*/events.jsonl 2>/dev/null; do sleep 0.01; done
        $MPRUN runs > runs.txt
        $MPRUN logs latest --follow --json > followed.jsonl & follower=$!
        until grep -q process.started followed.jsonl 2>/dev/null; do sleep 0.01; done
        touch go; wait $run $follower
    """
    assert mprun.shell(script).stderr == ""
    (log,) = mprun.folder.glob(".mprun/runs/*/events.jsonl")
    assert (mprun.folder / "followed.jsonl").read_bytes() == log.read_bytes()
    assert "running" in (mprun.folder / "runs.txt").read_text()


def test_following_a_run_that_is_killed(mprun: CommandLine) -> None:
    mprun.write("jobs.py", "import time\ndef wait(): time.sleep(60)")
    mprun.write("flow.yaml", "processes: {one: {target: 'jobs:wait'}}")
    script = """
        $MPRUN -q flow.yaml & run=$!
        until grep -q process.started .mprun/runs/*/events.jsonl 2>/dev/null; do sleep 0.01; done
        $MPRUN logs latest --follow > followed.txt & follower=$!
        until grep -q process.started followed.txt; do sleep 0.01; done
        kill -9 $run; wait $follower
    """
    assert "the run was ended before it could finish its log\n" in mprun.shell(script).stderr


@pytest.mark.parametrize("command", [("show",), ("show", "pool[7]"), ("logs", "--json")])
def test_memory_does_not_grow_with_the_log(tmp_path: Path, command: tuple[str, ...]) -> None:
    """A log four times as long takes no more of it: not a byte for each of its lines."""
    peaks = []
    for tasks in (500, 4_000, 16_000):  # the first call imports what it needs, and keeps it
        log = str(write_run(tmp_path / f"{len(peaks)}", small_run(tasks=tasks), every=500))
        with process_put_back(tmp_path), traced_memory() as peak:
            assert run_command_line([command[0], log, *command[1:]]) == 0
        peaks.append(peak())
    assert peaks[2] < peaks[1] * 1.1


@contextlib.contextmanager
def traced_memory() -> Iterator[Callable[[], int]]:
    """Yields how many bytes there were at most, beyond those from before; what is printed is kept by nobody."""
    peaks: list[int] = []
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        tracemalloc.start()
        try:
            yield peaks.pop
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
