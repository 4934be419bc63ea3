"""What `mprun show` and the trace tell of things that children share, from logs that are written by hand."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from conftest import CommandLine
from logs_by_hand import RUN_ID, Event, small_run, write_run

from mprun.log.export.formats import FORMATS
from mprun.log.export.run_log import RunLog
from mprun.log.reading.depths import MAX_SAMPLES, Depths
from mprun.log.reading.sharing_story import SharingStory
from mprun.sinks.sharing_text import abandoned_text, chart, things_text


def at(seconds: float) -> str:
    return (datetime.fromisoformat("2026-01-31T09:30:00.000001Z") + timedelta(seconds=seconds)).isoformat()


def event(what: str, seconds: float = 0, /, **fields: Any) -> Event:
    return {"ts": at(seconds).replace("+00:00", "Z"), "event": what, **fields}


STACK = 'Thread 1:\n  File "jobs.py", line 3 in take\n'
WHY = "`after` (pid 13) waits for `lock`, which worker 1 of `pool` (pid 12) held when it died"
SHARED = [
    event("shared.made", name="rows", kind="Queue", used_by=["bad", "pool"]),
    event("shared.made", name="lock", kind="Lock", used_by=["pool", "after"]),
    event("shared.depth", 1, name="rows", depth=80),
    event("shared.depth", 2, name="rows", depth=40),
    event("shared.ended", 3, name="rows"),
    event("shared.orphaned", 3, step="pool", worker=1, pid=12, names=["lock"]),
    event("shared.freed", 4, name="rows", kind="Queue", puts=1000, gets=998, waits=12, waited=3.2),
    event(
        "shared.abandoned",
        5,
        steps=["after"],
        reason=WHY,
        waiting=[{"step": "after", "pid": 13, "waits_for": "lock", "stack": STACK}],
    ),
    event("shared.freed", 6, name="lock", kind="Lock", taken=1, waits=0, waited=0.0),
]


@pytest.fixture
def kept(mprun: CommandLine) -> CommandLine:
    events = small_run()
    write_run(mprun.folder / ".mprun/runs" / RUN_ID, [*events[:-1], *SHARED, events[-1]])
    return mprun


def test_the_story_tells_what_was_shared(kept: CommandLine) -> None:
    told = kept("show", RUN_ID).stdout
    assert (
        "shared\n"
        "  rows: Queue of bad, pool: 1,000 put, 998 got, waited for 12 times, 3.200 s in all\n"
        "    0 to 80 in it, median 40  ▁▁▁▁████▅▅▅▅▅▅▅▅\n"
        "  lock: Lock of pool, after: taken once\n"
        "    pool 1 (pid 12) has ended with it\n"
        "\n"
    ) in told


def test_the_story_tells_who_waited_in_vain(kept: CommandLine) -> None:
    told = kept("show", RUN_ID).stdout
    assert (
        f'09:30:05.000 {WHY}\n  after (pid 13) waited for lock\n    Thread 1:\n      File "jobs.py", line 3 in take\n\n'
    ) in told


def test_one_thing(kept: CommandLine) -> None:
    assert kept("show", "latest", "shared.rows").stdout.splitlines() == [
        "rows",
        "  09:30:00.000  made: Queue, for bad, pool",
        "  09:30:01.000  80 in it",
        "  09:30:02.000  40 in it",
        "  09:30:03.000  ended: nobody is left who could put anything into it",
        "  09:30:04.000  freed: 1,000 put, 998 got, waited for 12 times, 3.200 s in all",
    ]
    assert kept("show", "latest", "shared.lock").stdout.splitlines()[:4] == [
        "lock",
        "  09:30:00.000  made: Lock, for pool, after",
        "  09:30:03.000  pool 1 (pid 12) has ended with it",
        f"  09:30:05.000 {WHY}",
    ]


def test_a_thing_that_is_not_there(kept: CommandLine) -> None:
    told = kept("show", "latest", "shared.cols")
    assert (told.code, told.stderr) == (2, "error: the log says nothing about `shared.cols`\n")


def test_the_trace_counts_what_is_in_queues(kept: CommandLine) -> None:
    log = kept.folder / ".mprun/runs" / RUN_ID / "events.jsonl"
    entries = json.loads("".join(FORMATS["chrome-trace"](RunLog(str(log)))))["traceEvents"]
    counted = [(entry["ts"], entry["args"]) for entry in entries if entry["ph"] == "C" and entry["name"] == "in rows"]
    assert counted == [(1_000_001, {"in rows": 80}), (2_000_001, {"in rows": 40}), (4_000_001, {"in rows": 2})]
    assert [entry for entry in entries if entry["name"] == "in lock"] == []


def test_a_run_amid_its_work_is_told_as_far_as_it_goes() -> None:
    story = SharingStory()
    for each in SHARED[:3]:
        story.take(each)
    assert things_text(story) == [
        "shared",
        "  rows: Queue of bad, pool: not freed yet",
        "    0 to 80 in it, median 0",
        "  lock: Lock of pool, after: not freed yet",
    ]


MADE_ONCE = [("object", 1, "given to one child"), ("array", 1200, "given to 1,200 children"), ("Lock", 1, "taken once")]


@pytest.mark.parametrize(("kind", "taken", "told"), MADE_ONCE)
def test_what_is_made_once_is_given_and_not_taken(kind: str, taken: int, told: str) -> None:
    story = SharingStory()
    story.take(event("shared.made", name="model", kind=kind, used_by=["pool"]))
    story.take(event("shared.freed", 1, name="model", kind=kind, taken=taken, waits=0, waited=0.0))
    assert things_text(story) == ["shared", f"  model: {kind} of pool: {told}"]


def test_a_queue_that_was_always_as_full_needs_no_chart() -> None:
    story = SharingStory()
    for each in (
        SHARED[0],
        event("shared.depth", name="rows", depth=8),
        event("shared.depth", 2, name="rows", depth=8),
    ):
        story.take(each)
    assert things_text(story)[2] == "    8 in it"


def test_things_that_no_line_has_made_are_left_out() -> None:
    """The log may have lost a line."""
    story = SharingStory()
    for each in SHARED[2:]:
        story.take(each)
    assert things_text(story) == []


def test_much_of_a_kind_is_counted() -> None:
    """However long the log is, what is kept of it is bounded."""
    story = SharingStory()
    for each in SHARED[:2] + 1000 * [SHARED[5], SHARED[7]]:
        story.take(each)
    assert "    and 995 more" in things_text(story)
    assert "and 995 more waits for what could not come" in abandoned_text(story)


def test_depths_are_looked_at_in_even_intervals() -> None:
    """A queue that fills for a day: as many samples as for a minute, and the same shape."""
    for seconds in (60, 86_400):
        depths = Depths(at(0))
        for step in range(1, 1001):
            depths.take(at(seconds * step / 1000), step)
        assert MAX_SAMPLES / 2 <= len(depths.samples) <= MAX_SAMPLES
        assert depths.samples == sorted(depths.samples)
        assert (depths.least < 20, 480 <= depths.median <= 510, depths.most) == (True, True, 1000)


def test_a_peak_between_two_looks_is_the_most() -> None:
    depths = Depths(at(0))
    depths.take(at(1.01), 500)
    depths.take(at(1.02), 2)
    depths.until(at(3))
    assert (depths.most, max(depths.samples)) == (500, 2)


CHARTS: dict[str, tuple[list[int], str]] = {
    "nothing": ([], ""),
    "one": ([5], ""),
    "nothing in it": ([0, 0, 0], ""),
    "levels": ([0, 1, 4, 7], "▁▂▅█"),
    "little of much": ([1, 1000], "▂█"),
    "more than fit": ([*79 * [0], 9], 39 * "▁" + "█"),
}


@pytest.mark.parametrize("what", CHARTS)
def test_a_chart(what: str) -> None:
    values, expected = CHARTS[what]
    assert chart(values) == expected
