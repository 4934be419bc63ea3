"""What a log's writer seals, and when; the head beside it; the index of runs; signatures."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from log_checks import check_sealed

from mprun.errors.exceptions import LogError
from mprun.log import seals
from mprun.log.head import HeadFile, head_path, new_head
from mprun.log.writer import EventLog, open_log
from mprun.running.stream import EventStream
from mprun.runs.index import append, read_index
from mprun.system.loop import Loop


class Written:
    """A log that is written without a run."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.path = folder / "events.jsonl"
        self.loop = Loop()
        self.errors: list[str] = []
        self.log = EventLog(open_log(str(self.path)), self.loop, self.errors.append, **options)
        self.stream = EventStream(self.log, [])

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.path.read_bytes().splitlines()]

    def seals(self) -> list[dict[str, Any]]:
        return [event for event in self.events() if event["event"] == "log.sealed"]


@pytest.fixture
def write(tmp_path: Path) -> Iterator[Callable[..., Written]]:
    """Makes a log in the test's folder; what it holds open is closed at the end."""
    made: list[Written] = []

    def make(**options: Any) -> Written:
        made.append(Written(tmp_path, **options))
        return made[-1]

    yield make
    for written in made:
        written.loop.__exit__(None, None, None)


def run_of(lines: int) -> list[bytes]:
    return [b'"ts":"2026-01-31T09:30:00.000000Z","event":"task.result","task":%d}' % task for task in range(lines)]


@pytest.mark.parametrize("runs", [[1], [999], [1000], [1001], [600, 600, 600], [1, 999, 1, 999], [300] * 20])
def test_at_most_a_thousand_lines_to_a_seal(write: Callable[..., Written], runs: list[int]) -> None:
    """But for a run of results that is longer by itself."""
    written = write()
    for lines in runs:
        written.stream.emit_run("s", 0, run_of(lines))
    written.log.close()
    events = written.events()
    assert [event["seq"] for event in events] == list(range(len(events)))
    assert max(event["lines"] for event in written.seals()) <= max(1000, *runs)
    if max(runs) <= 1000:
        check_sealed(written.path.read_bytes(), events)


def test_single_lines_are_sealed_too(write: Callable[..., Written]) -> None:
    written = write()
    for number in range(2500):
        written.stream.emit("signal.received", signal=str(number))
    written.log.close()
    check_sealed(written.path.read_bytes(), written.events())
    assert [event["lines"] for event in written.seals()] == [1000, 1000, 502]


def test_what_is_written_is_sealed_a_second_later(
    write: Callable[..., Written], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing is, where nothing was written."""
    monkeypatch.setattr(seals, "INTERVAL", 0.01)
    written = write()
    written.stream.emit("signal.received", signal="SIGINT")
    written.loop.run(until=lambda: len(written.seals()) == 1)
    idle = []
    written.loop.call_later(10 * seals.INTERVAL, lambda: idle.append(True))
    written.loop.run(until=lambda: bool(idle))
    assert len(written.events()) == 2
    written.log.close()


def test_the_head_says_how_far_the_log_has_come(
    write: Callable[..., Written], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seals, "INTERVAL", 0.01)
    head = tmp_path / "events.head"
    written = write(head=HeadFile(str(head)))
    written.stream.emit("signal.received", signal="SIGINT")
    written.loop.run(until=head.exists)
    _holds(head, written, finished=False)
    written.stream.emit("signal.received", signal="SIGINT")
    written.log.close()
    _holds(head, written, finished=True)
    assert stat.S_IMODE(head.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["events.head", "events.jsonl"]


def _holds(head: Path, written: Written, *, finished: bool) -> None:
    data = written.path.read_bytes()
    last = json.loads(data.splitlines()[-1])
    assert json.loads(head.read_bytes()) == {
        "log_format": "1.1",
        "bytes": len(data),
        "lines": last["seq"] + 1,
        "seal": last["seal"],
        "finished": finished,
    }


def test_a_head_that_can_not_be_written_ends_the_log(write: Callable[..., Written], tmp_path: Path) -> None:
    """And says so once, as a log that can't be written does."""
    written = write(head=HeadFile(str(tmp_path / "gone" / "events.head")))
    written.stream.emit("signal.received", signal="SIGINT")
    written.log.close()
    written.stream.emit("signal.received", signal="SIGINT")
    written.log.flush()
    assert written.errors == [written.log.error] == ["No such file or directory"]
    assert len(written.events()) == 2


def test_where_the_head_lies(tmp_path: Path) -> None:
    assert [head_path(log) for log in ("a/events.jsonl", "a/log", "x.head")] == [
        "a/events.head",
        "a/log.head",
        "x.head.head",
    ]
    (tmp_path / "log.head").symlink_to("nowhere")
    with pytest.raises(LogError, match=r"the log's head .*log\.head can't be created: it exists already"):
        new_head(str(tmp_path / "log"))


# -- the index


def test_each_line_of_the_index_has_the_hash_of_the_line_before(tmp_path: Path) -> None:
    path = tmp_path / "index.jsonl"
    append(str(path), "run.started", "a")
    append(str(path), "run.started", "b")
    append(str(path), "run.finished", "a", outcome="succeeded", seal="0" * 64)
    index = read_index(str(path))
    assert index.broken == ()
    assert set(index.entries["a"]) == {"run.started", "run.finished"}
    assert index.entries["a"]["run.finished"]["seal"] == "0" * 64
    lines = path.read_bytes().splitlines(keepends=True)
    assert "previous" not in json.loads(lines[0])
    for damaged, broken in (
        ([lines[1], lines[2]], (1,)),
        ([lines[0], lines[2]], (2,)),
        ([lines[1], lines[0], lines[2]], (1, 2, 3)),
        ([lines[0], lines[1].replace(b'"b"', b'"c"'), lines[2]], (3,)),
        ([lines[0], b"{}\n", lines[2]], (3,)),
    ):
        path.write_bytes(b"".join(damaged))
        assert read_index(str(path)).broken == broken


def test_a_torn_line_of_the_index_is_completed_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "index.jsonl"
    append(str(path), "run.started", "a")
    with path.open("ab") as file:
        file.write(b'{"ts":"2026')
    append(str(path), "run.started", "b")
    index = read_index(str(path))
    assert (set(index.entries), index.broken) == ({"a", "b"}, ())
