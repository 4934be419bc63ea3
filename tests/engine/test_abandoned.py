"""What must not hang: children that wait for what can't come. Each run ends by itself, and says why in words."""

from __future__ import annotations

import re
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from plan_builders import pool, process

from engine.harness import HERE, assert_gone, wait_for
from engine.test_sharing import (  # noqa: F401 -- fixtures
    RunShared,
    left_behind,
    plan_with,
    run_shared,
    shared,
    step,
    things,
    warm_heap,
)
from engine.test_stopping import Running, events_so_far
from mprun.errors.exceptions import ExitCode
from mprun.language.references import Reference
from mprun.language.targets import parse_target
from mprun.plan.plan import Limits, Retries, SharedThing, StartMethod, Step
from mprun.sources.table import CallSource, ListSource, RangeSource, ResultsSource, Source

LOCK, ROWS, GATE, GO, COND = shared("lock"), shared("rows"), shared("gate"), shared("go"), shared("cond")
A, B = shared("a"), shared("b")


def after(name: str, step: Step) -> Step:
    """`step`, begun when the step `name` has ended, however it did."""
    return replace(step, needs={name: "finished"})


Stuck = tuple[tuple[SharedThing, ...], list[Step], list[str], str]

# A death that others wait for: what is declared, the steps, the steps that fail for it, and the words that say why.
DEATHS: dict[str, Stuck] = {
    "killed while it holds a lock": (
        things(lock=["Lock"]),
        [step("x", "take_and_die", LOCK), after("x", step("y", "take", LOCK))],
        ["y"],
        r"`y` \(pid \d+\) waits for `lock`, which `x` \(pid \d+\) held when it died",
    ),
    "killed while another waits for a lock that it holds": (
        things(lock=["Lock"], taken=["Event"], ready=["Event"]),
        [
            step("x", "die_when_another_waits", LOCK, shared("taken"), shared("ready")),
            step("y", "take_what_is_taken", LOCK, shared("taken"), shared("ready")),
        ],
        ["y"],
        r"waits for `lock`, which `x` \(pid \d+\) held when it died",
    ),
    "killed while it holds an RLock": (
        things(lock=["RLock"]),
        [step("x", "take_and_die", LOCK), after("x", step("y", "take", LOCK))],
        ["y"],
        r"waits for `lock`, which `x` \(pid \d+\) held when it died",
    ),
    "ended while it holds a lock": (
        things(lock=["Lock"]),
        [step("x", "take_and_return", LOCK), after("x", step("y", "take", LOCK))],
        ["y"],
        r"waits for `lock`, which `x` \(pid \d+\) held when it died",
    ),
    "killed with the last place of a semaphore": (
        things(lock=["Semaphore", 1]),
        [step("x", "take_and_die", LOCK), after("x", step("y", "take", LOCK))],
        ["y"],
        r"waits for `lock`, which `x` \(pid \d+\) held when it died",
    ),
    "killed while it holds a condition": (
        things(cond=["Condition"]),
        [step("x", "take_and_die", COND), step("y", "wait_notified", COND)],
        ["y"],
        r"`y` \(pid \d+\) waits (for|until) `cond`",
    ),
    "killed while it holds the lock of a Value": (
        things(n=["Value", "i", 0]),
        [step("x", "hold_value_and_die", shared("n")), after("x", step("y", "read", shared("n")))],
        ["y"],
        r"waits for `n`, which `x` \(pid \d+\) held when it died",
    ),
    "killed while it reads from a queue": (
        things(rows=["Queue"]),
        [step("x", "hold_reading_lock_and_die", ROWS), after("x", step("y", "put_and_get", ROWS))],
        ["y"],
        r"waits for `rows`, which `x` \(pid \d+\) held when it died",
    ),
    "killed while it writes a long object": (
        things(rows=["Queue"]),
        [step("x", "write_half_and_die", ROWS), step("y", "get_one", ROWS)],
        ["y"],
        r"waits for the rest of an object in `rows`, whose writer was killed",
    ),
    "killed while it writes, and another has put something": (
        things(rows=["Queue", 9]),
        [step("x", "hold_writing_lock_and_die", ROWS), after("x", step("y", "put_all", ROWS, 3))],
        ["y"],
        r"waits until what it has put into `rows` is written, whose lock for writing `x` \(pid \d+\) held when it died",
    ),
    "a barrier whose party was killed": (
        things(gate=["Barrier", 3]),
        [step("x", "die", GATE), step("y", "arrive", GATE), step("z", "arrive", GATE)],
        ["y", "z"],
        r"`y` \(pid \d+\) waits at `gate`, which needs 3 and has 2 left that could arrive; `z` .*",
    ),
}

# As above, without a death that matters.
STUCK: dict[str, Stuck] = {
    "a barrier whose party has ended": (
        things(gate=["Barrier", 2]),
        [step("x", "arrive", GATE, 1), step("y", "arrive", GATE, 2)],
        ["y"],
        r"waits at `gate`, which needs 2 and has 1 left that could arrive",
    ),
    "a long object that nobody gets": (
        things(rows=["Queue", 9]),
        [step("x", "put_texts", ROWS, "a", 1_000_000, 1), step("y", "die", ROWS)],
        ["x"],
        r"waits until what it has put into `rows` is written, from which nobody is left to get anything",
    ),
    "a queue that nobody empties": (
        things(rows=["Queue", 2]),
        [step("x", "put_all", ROWS, 9), step("y", "get_and_die", ROWS)],
        ["x"],
        r"waits for room in `rows`, from which nobody is left to get anything",
    ),
    "an event that nobody sets": (
        things(go=["Event"]),
        [step("x", "die", GO), step("y", "wait_for_set", GO), step("z", "wait_for_set", GO)],
        ["y", "z"],
        r"waits until `go` is set, which nobody is left to set",
    ),
    "a condition that nobody notifies": (
        things(cond=["Condition"]),
        [step("x", "die", COND), step("y", "wait_notified", COND), step("z", "wait_notified", COND)],
        ["y", "z"],
        r"waits until `cond` is notified, which nobody is left to notify",
    ),
    "two locks in two orders": (
        things(a=["Lock"], b=["Lock"], gate=["Barrier", 2]),
        [step("x", "both", A, B, GATE), step("y", "both", B, A, GATE)],
        ["x", "y"],
        r"`x` .* waits for `b`, which `y` \(pid \d+\), itself waiting, holds; `y` .* waits for `a`, which `x` .*",
    ),
    "a message that nobody sends": (
        things(ends=["Pipe"]),
        [step("x", "die", shared("ends", "0")), step("y", "receive", shared("ends", "1"))],
        ["y"],
        r"waits for a message from `ends`, to which nobody is left to send one",
    ),
    "work that is never done": (
        things(work=["JoinableQueue"]),
        [step("x", "put_and_wait_until_done", shared("work"), 3), step("y", "never_done", shared("work"))],
        ["x"],
        r"waits until all in `work` is done, with which nobody is left to deal",
    ),
    "a consumer that starts when its producer has ended": (
        things(rows=["Queue", 2]),
        [step("x", "put_all", ROWS, 9), step("y", "add_up", ROWS, needs=("x",))],
        ["x"],
        r"waits for room in `rows`, from which nobody is left to get anything",
    ),
    "a consumer that starts at the end of the run": (
        things(rows=["Queue", 2]),
        [step("x", "put_all", ROWS, 9), replace(step("y", "add_up", ROWS), when="exit")],
        ["x"],
        r"waits for room in `rows`, from which nobody is left to get anything",
    ),
}


@pytest.mark.parametrize("what", DEATHS)
def test_a_death_that_others_wait_for(run_shared: RunShared, what: str) -> None:  # noqa: F811
    assert_told(run_shared, *DEATHS[what])


@pytest.mark.parametrize("what", STUCK)
def test_a_wait_for_what_cannot_come_ends(run_shared: RunShared, what: str) -> None:  # noqa: F811
    assert_told(run_shared, *STUCK[what])


def assert_told(
    run_shared: RunShared,  # noqa: F811
    declared: tuple[SharedThing, ...],
    steps: list[Step],
    failing: list[str],
    words: str,
) -> None:
    """The run ends by itself, says `words` and shows where each child waits; the steps `failing` fail for it."""
    ran = run_shared(declared, *steps, grace_period=1.0)
    assert ran.end.exit_code is ExitCode.FAILED
    abandoned = ran.one("shared.abandoned")
    assert abandoned["steps"] == failing
    assert re.search(words, abandoned["reason"]), abandoned["reason"]
    for name in failing:
        finished = next(event for event in ran.named("step.finished") if event["step"] == name)
        assert (finished["outcome"], finished["error"]) == ("failed", abandoned["reason"])
    assert [waiting["step"] for waiting in abandoned["waiting"]] == failing
    assert all(re.search(r"sharing_zoo.py|sharing/queue", each["stack"]) for each in abandoned["waiting"])


def test_who_held_what_is_told(run_shared: RunShared) -> None:  # noqa: F811
    ran = run_shared(things(lock=["Lock"]), step("x", "take_and_die", LOCK), after("x", step("y", "take", LOCK)))
    orphaned = ran.one("shared.orphaned")
    assert (orphaned["step"], orphaned["names"]) == ("x", ["lock"])


def test_a_worker_of_a_pool_that_waits_for_ever(run_shared: RunShared, engine: Any) -> None:  # noqa: F811
    waits = pool("y", "sharing_zoo:take_with", [1, 2, 3], folder=HERE, engine=engine, kwargs={"lock": LOCK})
    ran = run_shared(things(lock=["Lock"]), step("x", "take_and_die", LOCK), after("x", waits), grace_period=1.0)
    assert ran.one("shared.abandoned")["steps"] == ["y"]
    assert re.search(r"worker \d of `y` \(pid \d+\) waits for `lock`", ran.one("shared.abandoned")["reason"])


def numbers(count: int, pause: float = 0.0) -> CallSource:
    return CallSource(parse_target("sharing_zoo:numbers", HERE), (count, pause), {})


def pool_of(name: str, function: str, source: Source, **options: Any) -> Step:
    return pool(name, f"sharing_zoo:{function}", source, folder=HERE, call="imap", **options)


def fan_out_of(name: str, function: str, source: Source, *args: Any, at_once: int) -> Step:
    one = process(name, f"sharing_zoo:{function}", Reference("item", ()), *args, folder=HERE)
    return replace(one, cells=source, max_parallel=at_once, cell="item")


STREAM = {"source": ResultsSource("x"), "streams": True, "needs": ("x",)}
CHUNKS = {"processes": 2, "chunksize": 2, "engine": "stdlib"}

# Steps of which one has workers without a task, which nobody can give them any more; those that fail for it.
IDLE: dict[str, tuple[tuple[SharedThing, ...], list[Step], list[str]]] = {
    "a source that has ended": (
        things(go=["Event"]),
        [pool_of("x", "wait_if_first", numbers(4), kwargs={"event": GO})],
        ["x"],
    ),
    "a source that has ended, and attempts that might follow": (
        things(go=["Event"]),
        [replace(pool_of("x", "wait_if_first", numbers(4), kwargs={"event": GO}), limits=Limits(retries=Retries(3)))],
        ["x"],
    ),
    "results of one who waits": (
        things(go=["Event"]),
        [
            pool_of("x", "wait_if_first", ListSource((0,)), kwargs={"event": GO}, processes=1, keeps=True),
            pool_of("y", "set_if", kwargs={"event": GO, "when": 0}, **STREAM),
        ],
        ["x"],
    ),
    "a pool of the standard library's that was given all": (
        things(go=["Event"]),
        [pool_of("x", "wait_if_first", RangeSource(0, 6, 1), kwargs={"event": GO}, **CHUNKS)],
        ["x"],
    ),
    "cells that need the room of those who wait": (
        things(gate=["Barrier", 3]),
        [fan_out_of("x", "arrive_each", numbers(3), GATE, at_once=2)],
        ["x"],
    ),
}


@pytest.mark.parametrize("what", IDLE)
def test_workers_without_a_task_are_no_help(run_shared: RunShared, what: str) -> None:  # noqa: F811
    declared, steps, failing = IDLE[what]
    ran = run_shared(declared, *steps, grace_period=1.0)
    assert ran.one("shared.abandoned")["steps"] == failing
    assert ran.end.exit_code is ExitCode.FAILED


LATE = 2.5  # seconds until what all wait for comes: more than they wait before it is said that it can't

# Steps of which one is given what the others wait for, but late.
LATE_HELP: dict[str, tuple[tuple[SharedThing, ...], list[Step]]] = {
    "a source that is slow": (
        things(go=["Event"]),
        [step("w", "wait_for_set", GO), pool_of("x", "set_if", numbers(2, LATE), kwargs={"event": GO, "when": 1})],
    ),
    "results that come late": (
        things(go=["Event"]),
        [
            step("w", "wait_for_set", GO),
            pool_of("x", "quick", numbers(2, LATE), keeps=True, kwargs={"event": GO}),
            pool_of("y", "set_if", kwargs={"event": GO, "when": 1}, **STREAM),
        ],
    ),
    "a cell that comes late": (
        things(gate=["Barrier", 3]),
        [fan_out_of("x", "arrive_each", numbers(3, LATE), GATE, at_once=3)],
    ),
    "a queue whose producer is given its item late": (
        things(rows=["Queue"]),
        [step("w", "add_up", ROWS), pool_of("x", "put_each", numbers(2, LATE), kwargs={"rows": ROWS})],
    ),
}


@pytest.mark.parametrize("what", LATE_HELP)
def test_workers_that_will_have_a_task_may_help(run_shared: RunShared, what: str) -> None:  # noqa: F811
    declared, steps = LATE_HELP[what]
    ran = run_shared(declared, *steps)
    assert ran.named("shared.abandoned") == []
    assert ran.end.exit_code is ExitCode.SUCCEEDED
    if "queue" in what:
        assert ran.values("w") == [1]


def test_a_second_attempt_is_not_made_for_what_can_only_hang(run_shared: RunShared) -> None:  # noqa: F811
    """The lock stays held by the dead: what is tried again waits for it as well, and the step ends."""
    dies = step("x", "take_and_die", LOCK)
    dies = replace(dies, limits=replace(dies.limits, retries=Retries(3)))
    ran = run_shared(things(lock=["Lock"]), dies, after("x", step("y", "take", LOCK)), grace_period=1.0)
    assert ran.end.exit_code is ExitCode.FAILED
    assert {"x", "y"} == {name for event in ran.named("shared.abandoned") for name in event["steps"]}
    assert len(ran.named("process.retried")) == 1


def test_it_may_be_ignored(run_shared: RunShared) -> None:  # noqa: F811
    """Nothing is done about it; its own limit ends the step."""
    ignored = (replace(things(lock=["Lock"])[0], abandoned="ignore"),)
    waits = after("x", step("y", "take", LOCK))
    waits = replace(waits, limits=replace(waits.limits, timeout=3.0))
    ran = run_shared(ignored, step("x", "take_and_die", LOCK), waits)
    assert ran.named("shared.abandoned") == []
    assert ran.outcomes("y") == ["timed_out"]


PATIENT: dict[str, tuple[tuple[SharedThing, ...], list[Step]]] = {
    "its own thread": (things(lock=["Lock"]), [step("x", "wait_with_a_thread", LOCK)]),
    "a bounded wait": (
        things(lock=["Lock"]),
        [step("x", "take_and_return", LOCK), step("y", "take_with_patience", LOCK, needs=("x",))],
    ),
    "one that is at work": (
        things(rows=["Queue"]),
        [step("x", "put_late", ROWS), step("y", "add_up", ROWS), step("z", "add_up", ROWS)],
    ),
    "a step that is to come": (
        things(gate=["Barrier", 2]),
        [step("x", "arrive", GATE), step("w", "nap", 2.0), step("y", "arrive", GATE, needs=("w",))],
    ),
}


@pytest.mark.parametrize("what", PATIENT)
def test_a_wait_that_will_end_is_left_alone(run_shared: RunShared, what: str) -> None:  # noqa: F811
    declared, steps = PATIENT[what]
    ran = run_shared(declared, *steps)
    assert ran.named("shared.abandoned") == []
    assert ran.end.exit_code is ExitCode.SUCCEEDED, ran.events


ENDS: dict[str, list[int]] = {
    "killed": [signal.SIGKILL],
    "asked to end": [signal.SIGTERM, signal.SIGTERM],
    "interrupted": [signal.SIGINT, signal.SIGINT],
    "asked to end at once": [signal.SIGINT, signal.SIGINT, signal.SIGINT],
}
EVERYTHING = things(
    lock=["Lock"],
    gate=["Barrier", 4],
    go=["Event"],
    cond=["Condition"],
    few=["BoundedSemaphore", 3],
    rows=["Queue", 3],
    work=["JoinableQueue"],
    ends=["Pipe"],
    state=["dict", {}],
    seen=["list", []],
    n=["Value", "i", 0],
    hist=["Array", "d", 100_000],
    model=["object", {"call": parse_target("sharing_zoo:load_model", HERE), "args": [7], "kwargs": {}}],
)


def signals_received(running: Running) -> list[Any]:
    return [event for event in events_so_far(running.log) if event["event"] == "signal.received"]


@pytest.mark.parametrize("how", ENDS)
def test_nothing_is_left_whatever_ends_a_run(start_method: StartMethod, tmp_path: Path, how: str) -> None:
    """No child, no manager, no semaphore, no memory: however little time there was for it."""
    others = [shared(thing.name) for thing in EVERYTHING if thing.name not in ("lock", "state", "n", "ends")]
    steps = [
        step("x", "hold_and_say", LOCK, shared("state"), shared("n"), str(tmp_path / "pids")),
        step("y", "add_up", ROWS),
        step("z", "nap_with", 60, *others, shared("ends", "0")),
    ]
    running = Running(plan_with(EVERYTHING, *steps, start_method=start_method, grace_period=0.5), tmp_path)
    pids = wait_for(lambda: (tmp_path / "pids").exists() and (tmp_path / "pids").read_text().split())
    assert left_behind(running.program.pid) or start_method == "fork"
    for count, number in enumerate(ENDS[how]):
        wait_for(lambda count=count: len(signals_received(running)) == count)
        running.signal(number)
    _, stderr = running.end()
    assert_gone([*map(int, pids), *running.children()])
    wait_for(lambda: left_behind(running.program.pid) == [])
    assert "Traceback" not in stderr


def test_what_was_left_is_removed_at_the_next_start(run_shared: RunShared) -> None:  # noqa: F811
    """Somebody has killed even the process that would have removed it."""
    left = Path("/dev/shm/sem.mprun-1-0-abcdefgh-xyz")
    left.write_bytes(b"")
    run_shared(things(n=["Value", "i", 0]), step("x", "read", shared("n")))
    assert not left.exists()
