"""Cells that wait for what cells to come can bring about: a program must not depend on the number of CPUs."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from conftest import CommandLine

JOBS = """
def put(q, n):
    for number in range(n):
        q.put(number)

def get(q):
    return list(q)

def pass_on(q, n, last):
    if n == last:
        q.put(n)
        return n
    got = q.get()
    q.put(got)
    return got

def meet(gate):
    return gate.wait() >= 0

def set_or_wait(go, n, last):
    return go.set() is None if n == last else go.wait()

def notify_or_wait(cond, ready, n, last):
    with cond:
        if n == last:
            ready.value = 1
            cond.notify_all()
        while not ready.value:
            cond.wait()
    return True

def lock_twice(lock):
    lock.acquire()
    lock.acquire()
"""

CELLS = 4


@pytest.fixture
def one_cpu() -> Iterator[None]:
    """Let this process, and those that it starts, use one CPU."""
    usable = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(usable)})
    yield
    os.sched_setaffinity(0, usable)


@pytest.fixture
def flow(mprun: CommandLine, one_cpu: None) -> CommandLine:
    mprun.write("jobs.py", JOBS)
    return mprun


def results(mprun: CommandLine, step: str) -> list[object]:
    return [e.get("result") for e in mprun.log() if e["event"] == "process.result" and e["step"] == step]


def test_the_default_limit_gives_way(flow: CommandLine) -> None:
    """More consumers than CPUs: all of them start, and then the queue ends for all."""
    flow.write(
        "w.yaml",
        f"""
        shared: {{q: Queue}}
        processes:
          put: {{target: "jobs:put", args: ["${{shared.q}}", 5]}}
          get: {{foreach: {{range: {CELLS}}}, target: "jobs:get", args: ["${{shared.q}}"]}}
        """,
    )
    ran = flow("w.yaml")
    got = results(flow, "get")
    assert (ran.code, len(got)) == (0, CELLS), ran.stderr
    assert sorted(number for each in got for number in each) == list(range(5))  # type: ignore[attr-defined]


# What the last cell brings about → the shared things, the target, its arguments, and what each cell returns.
LAST_CELL = {
    "an object": ("q: Queue", "pass_on", '"${shared.q}", "${item}", 3', 3),
    "the last party": ("gate: {Barrier: 4}", "meet", '"${shared.gate}"', True),
    "an event": ("go: Event", "set_or_wait", '"${shared.go}", "${item}", 3', True),
    "a condition": (
        "cond: Condition, ready: {Value: [i, 0]}",
        "notify_or_wait",
        '"${shared.cond}", "${shared.ready}", "${item}", 3',
        True,
    ),
}


@pytest.mark.parametrize("case", LAST_CELL)
def test_the_last_cell_brings_what_the_others_wait_for(flow: CommandLine, case: str) -> None:
    shared, target, args, result = LAST_CELL[case]
    flow.write(
        "w.yaml",
        f"""
        shared: {{{shared}}}
        processes:
          a: {{foreach: [0, 1, 2, 3], target: "jobs:{target}", args: [{args}]}}
        """,
    )
    ran = flow("w.yaml")
    assert (ran.code, results(flow, "a")) == (0, [result] * CELLS), ran.stderr


def test_no_limit_gives_way_to_what_another_cell_cannot_help(flow: CommandLine) -> None:
    """Nor is a higher limit advised."""
    flow.write(
        "w.yaml",
        """
        shared: {lock: Lock}
        processes: {a: {foreach: {range: 1000}, target: "jobs:lock_twice", args: ["${shared.lock}"]}}
        """,
    )
    ran = flow("w.yaml")
    started = [e for e in flow.log() if e["event"] == "process.started"]
    assert (ran.code, len(started)) == (1, 1)
    assert "can't start" not in ran.stderr


@pytest.mark.parametrize(
    ("more", "options", "limit"),
    [("max_parallel: 2, ", (), "the step's `max_parallel: 2`"), ("", ("-j", "2"), "the run's `max_parallel`")],
)
def test_a_limit_that_somebody_has_set_holds(
    flow: CommandLine, more: str, options: tuple[str, ...], limit: str
) -> None:
    """The failure names the cell, the limit and the remedy."""
    flow.write(
        "w.yaml",
        f"""
        shared: {{q: Queue}}
        processes:
          get: {{{more}foreach: [1, 2, 3], target: "jobs:get", args: ["${{shared.q}}"]}}
          put: {{target: "jobs:put", args: ["${{shared.q}}", 1], needs: {{get: finished}}}}
        """,
    )
    ran = flow("run", "w.yaml", *options)
    assert ran.code == 1
    assert f"`get[2]` can't start, as {limit} is reached: a higher one lets it" in ran.stderr
