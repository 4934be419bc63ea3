"""The pure parts of the local engine: what is owed, what is left, how much at once, when again."""

from __future__ import annotations

import json
from collections import deque
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from plan_builders import plan_of, pool

from mprun.engines.local.backlog import Backlog, Batch
from mprun.engines.local.limits import hold_to_limits
from mprun.engines.local.sizing import AIM, MOST, Sizer
from mprun.engines.local.worker import LocalWorker
from mprun.engines.results.ledger import Ledger, merged
from mprun.engines.seam import Run
from mprun.engines.slots import Slots
from mprun.engines.stdlib.pool import StdlibPoolExecution
from mprun.engines.supply.supply import SourceSupply
from mprun.engines.threads import THREAD_VARIABLES, thread_counts
from mprun.language.targets import parse_target
from mprun.plan.child_spec import Retries
from mprun.plan.retrying import delay_after, may_retry
from mprun.sources.table import GlobSource, LinesSource, ListSource, RangeSource
from mprun.system.loop import Loop


class Told:
    """Events as they are told, by what they are about."""

    def __init__(self) -> None:
        self.results: list[tuple[int, str]] = []
        self.runs: list[tuple[int, int]] = []
        self.counted = 0
        self.events: list[dict[str, Any]] = []

    def emit(self, event: str, **fields: Any) -> None:
        self.events.append({"event": event, **fields})

    def emit_result(self, step: str, task: int, outcome: str, line: bytes) -> None:
        self.results.append((task, outcome))

    def emit_run(self, step: str, first: int, lines: list[bytes]) -> None:
        self.runs.append((first, len(lines)))

    def count(self, step: str, tasks: int) -> None:
        self.counted += tasks

    def emit_line(self, line: bytes) -> None:
        raise AssertionError("a ledger books results")

    def emit_retry(self, step: str, task: int, line: bytes) -> None:
        raise AssertionError("a ledger books results")

    def emit_output(self, fields: dict[str, Any], stream: str, line: bytes) -> None:
        raise AssertionError("a ledger books results")


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def ledger(told: Told) -> Ledger:
    return Ledger(told, "step")


def test_an_outcome_is_booked_once(ledger: Ledger, told: Told) -> None:
    """Whoever tells it again, and in whichever form, is not heard."""
    assert ledger.book(3, "lost", b"x\n")
    assert not ledger.book(3, "returned", b"x\n")
    ledger.book_run(2, [b"a", b"b", b"c"])
    ledger.book_run(2, [b"a", b"b", b"c"])
    assert told.results == [(3, "lost"), (2, "returned"), (4, "returned")]
    assert (ledger.booked, ledger.outcomes) == (3, {"lost": 1, "returned": 2})
    assert list(ledger.missing(6)) == [0, 1, 5]


def test_what_is_only_counted_is_told_of_once(ledger: Ledger, told: Told) -> None:
    """The board has a part of it, which is told of; then comes the word that counts all of it."""
    ledger.book(4, "lost", b"x\n")
    ledger.book_count(0, 3)
    ledger.log_counted()
    ledger.book_count(0, 9)
    ledger.log_counted()
    ledger.book_count(0, 9)
    ledger.log_counted()
    assert [(event["first"], event["last"]) for event in told.events] == [(0, 2), (3, 3), (5, 8)]
    assert ledger.outcomes == {"lost": 1, "returned": 8}


def test_a_run_is_told_whole(ledger: Ledger, told: Told) -> None:
    assert ledger.book_run(10, [b"a"] * 5) == 15
    assert (told.runs, told.results) == ([(10, 5)], [])
    assert ledger.has_all(10, 15)
    assert not ledger.has_all(9, 15)
    assert not ledger.has_all(10, 10_000_000)


def test_counted_tasks_are_told_as_ranges(ledger: Ledger, told: Told) -> None:
    ledger.book_count(0, 10)
    ledger.book_count(20, 5)
    ledger.book_count(5, 15)
    ledger.log_counted()
    ledger.log_counted()
    assert told.counted == ledger.outcomes["returned"] == 25
    assert told.events == [{"event": "tasks.counted", "step": "step", "first": 0, "last": 24, "returned": 25}]


def test_the_parents_lines_are_those_of_the_log(ledger: Ledger, told: Told) -> None:
    lines: list[bytes] = []
    told.emit_result = lambda step, task, outcome, line: lines.append(line)  # type: ignore[method-assign]
    ledger.book_by_parent(7, "lost", {"reason": "why"})
    event = json.loads(b"{" + lines[0])
    assert (event["event"], event["task"], event["outcome"]) == ("task.result", 7, "lost")


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [([], []), ([(5, 7), (0, 5)], [(0, 7)]), ([(0, 3), (4, 6)], [(0, 3), (4, 6)]), ([(0, 9), (2, 3)], [(0, 9)])],
)
def test_merged(ranges: list[tuple[int, int]], expected: list[tuple[int, int]]) -> None:
    assert merged(ranges) == expected


def take_all(backlog: Backlog, most: int) -> list[int]:
    found: list[int] = []
    while (batch := backlog.take(most)) is not None:
        found += range(batch.first, batch.end)
    return found


def test_a_backlog_gives_each_item_once() -> None:
    backlog = Backlog(SourceSupply(RangeSource(0, 10, 1)))
    assert take_all(backlog, 3) == list(range(10))
    assert backlog.empty
    assert (backlog.left, backlog.taken, backlog.cut) == (0, 10, False)


def test_what_comes_back_goes_first() -> None:
    backlog = Backlog(SourceSupply(ListSource(tuple("abcdef"))))
    batch = backlog.take(4)
    assert batch is not None
    backlog.give_back(batch.rest(2))
    assert backlog.left == 4
    again = backlog.take(1)
    assert again == Batch(2, 1, ("c",))
    assert take_all(backlog, 9) == [3, 4, 5]


def test_a_dropped_backlog_says_whether_it_was_cut() -> None:
    backlog = Backlog(SourceSupply(RangeSource(0, 5, 1)))
    backlog.take(2)
    backlog.drop("a stop")
    assert (backlog.cut, backlog.empty, backlog.take(1)) == (True, True, None)
    backlog = Backlog(SourceSupply(RangeSource(0, 2, 1)))
    backlog.take(2)
    backlog.drop("a stop")
    assert not backlog.cut


def test_a_source_that_fails_gives_what_was_read(tmp_path: Any) -> None:
    (tmp_path / "lines").write_bytes(b"one\ntwo\n" + b"x" * 20_000 + b"\n\xff\n")
    backlog = Backlog(SourceSupply(LinesSource(str(tmp_path / "lines"))))
    assert backlog.left is None
    assert take_all(backlog, 1)[:2] == [0, 1]
    assert "utf-8" in backlog.supply.error
    assert backlog.empty


def test_a_glob_gives_paths_as_the_children_would_write_them(tmp_path: Path) -> None:
    """Below their folder relative to it, elsewhere absolute; never the folder itself."""
    for name in ("b.txt", "a/c.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    source = GlobSource(f"{tmp_path}/**", str(tmp_path))
    assert list(source.items()) == ["a", "a/c.txt", "b.txt"]
    assert list(GlobSource(f"{tmp_path}/*.txt", f"{tmp_path}/a").items()) == [f"{tmp_path}/b.txt"]


def test_batches_double_up_to_the_aim() -> None:
    sizer = Sizer(workers=2)
    sizes = []
    for _ in range(12):
        sizes.append(sizer.next(None))
        sizer.measured(sizes[-1], sizes[-1] * AIM / 100)
    assert sizes == [1, 2, 4, 8, 16, 32, 64, 100, 100, 100, 100, 100]


def test_slow_tasks_stay_alone() -> None:
    sizer = Sizer(workers=2)
    sizer.measured(1, 2 * AIM)
    assert (sizer.next(None), sizer.wants_ahead) == (1, False)


def test_the_tail_is_small_and_large_items_are_few() -> None:
    sizer = Sizer(workers=4)
    for _ in range(30):
        sizer.measured(10, 1e-6)
    assert sizer.next(None) == MOST
    assert sizer.next(80) == 10
    assert sizer.next(3) == 1
    assert sizer.wants_ahead
    sizer.pickled(1, 8_000_000)
    assert sizer.next(None) == 1


def test_a_chunksize_is_kept() -> None:
    sizer = Sizer(workers=4, fixed=7)
    sizer.measured(7, 100.0)
    assert sizer.next(3) == 7


def worker_with(*batches: Batch) -> LocalWorker:
    """A worker as the parent notes it, without a process."""
    worker = LocalWorker.__new__(LocalWorker)
    worker.batches = deque(batches)
    worker.tasks = 0
    return worker


def test_what_is_on_the_board_waits_for_what_is_in_the_pipe() -> None:
    """Tasks 0 to 9 are told by a frame that is not read yet: the board, which has 10 to 19, must not end the batch."""
    worker = worker_with(Batch(0, 1, range(20)))
    assert not worker.continues(10, 20)
    worker.ended_before(10)
    assert worker.continues(10, 20)
    assert worker.continues(5, 20)
    assert not worker.continues(10, 21)


def test_a_late_word_ends_no_other_batch() -> None:
    worker = worker_with(Batch(100, 1, range(50)))
    worker.ended_before(5000)
    worker.ended_before(7)
    assert (len(worker.batches), worker.batches[0].done, worker.tasks) == (1, 0, 0)
    worker.ended_before(150)
    assert (len(worker.batches), worker.tasks) == (0, 50)


def test_slots() -> None:
    freed: list[int] = []
    slots = Slots(3)
    slots.on_free = lambda: freed.append(1)
    assert slots.take(2)
    assert not slots.take(2)
    assert slots.take()
    slots.give_back(3)
    assert (slots.take(3), freed) == (True, [1])
    assert all(Slots(0).take() for _ in range(1000))


@pytest.mark.parametrize(
    ("retries", "delays"),
    [
        (Retries(count=3, delay=2.0), [2.0, 2.0, 2.0]),
        (Retries(count=3, delay=2.0, backoff="exponential"), [2.0, 4.0, 8.0]),
        (Retries(count=3, delay=2.0, backoff="exponential", max_delay=5.0), [2.0, 4.0, 5.0]),
        (Retries(count=3, delay=2.0, jitter=True), [0.5, 0.5, 0.5]),
        (Retries(count=3), [0.0, 0.0, 0.0]),
    ],
)
def test_delays(retries: Retries, delays: list[float]) -> None:
    assert [delay_after(retries, attempt, lambda: 0.25) for attempt in (1, 2, 3)] == delays


def test_delays_stay_finite() -> None:
    assert delay_after(Retries(count=10**6, delay=1.0, backoff="exponential"), 10**6) == 60.0


@pytest.mark.parametrize(
    ("retries", "attempt", "outcome", "expected"),
    [
        (Retries(), 1, "raised", False),
        (Retries(count=1), 1, "raised", True),
        (Retries(count=1), 2, "raised", False),
        (Retries(count=1), 1, "cancelled", False),
        (Retries(count=1), 1, "unpicklable", False),
        (Retries(count=1, on=("lost",)), 1, "timed_out", False),
    ],
)
def test_may_retry(retries: Retries, attempt: int, outcome: Any, expected: bool) -> None:
    assert may_retry(retries, attempt, outcome) is expected


def test_workers_share_the_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless the user has set one of the variables, in the workflow or around it."""
    for name in THREAD_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert set(thread_counts({}, 4, 16).values()) == {"4"}
    assert set(thread_counts({}, 4, 2).values()) == {"1"}
    assert thread_counts({"OMP_NUM_THREADS": "3"}, 4, 16) == {}
    monkeypatch.setenv("MKL_NUM_THREADS", "2")
    assert thread_counts({}, 4, 16) == {}


def test_a_broken_pool_ends_after_the_starts_that_its_thread_tells(told: Told) -> None:
    """What looks whether it has ended may have been queued before: a worker's start would follow the step's end."""
    step = pool("step", "zoo:square", 1, engine="stdlib")
    with Loop() as loop:
        run = Run(plan_of(step), loop, told, (), Slots(0), None, None, None)
        execution = StdlibPoolExecution(run, step, lambda _: order.append("the end"))
        order: list[str] = []
        loop.call_soon(execution._finish_when_empty)
        loop.call_soon(lambda: order.append("a start"))
        execution.end(9, "broken")
        loop.run(until=lambda: "the end" in order)
    assert order == ["a start", "the end"]


@pytest.mark.parametrize(
    ("finalizer", "tasks", "ended"), [("", 0, True), ("", 3, True), ("jobs:give", 0, True), ("jobs:give", 3, False)]
)
def test_a_suspended_worker_is_ended_where_that_costs_nothing(finalizer: str, tasks: int, ended: bool) -> None:
    """One that has something to give at its end is waited for."""
    signals: list[int] = []
    child = SimpleNamespace(suspended=True, end=lambda number, *_: signals.append(number))
    worker: Any = SimpleNamespace(child=child, batches=[1], tasks=tasks, at_a_task=False, stays_so=lambda what: what())
    step = pool("p", "jobs:a", 3, finalizer=parse_target(finalizer, "/flows") if finalizer else None)
    hold_to_limits(None, step, worker)  # type: ignore[arg-type]
    assert bool(signals) is ended
