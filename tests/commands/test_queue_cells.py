"""Cells that wait at a queue which cells to come have as well: a program must not depend on the number of CPUs."""

from __future__ import annotations

import pytest
from conftest import CommandLine

from mprun.system.machine import available_cpus

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
"""


@pytest.fixture
def flow(mprun: CommandLine) -> CommandLine:
    mprun.write("jobs.py", JOBS)
    return mprun


def results(mprun: CommandLine, step: str) -> list[object]:
    return [e.get("result") for e in mprun.log() if e["event"] == "process.result" and e["step"] == step]


def test_the_default_limit_gives_way(flow: CommandLine) -> None:
    """More consumers than CPUs: all of them start, and then the queue ends for all."""
    cells = available_cpus() + 3
    flow.write(
        "w.yaml",
        f"""
        shared: {{q: Queue}}
        processes:
          put: {{target: "jobs:put", args: ["${{shared.q}}", 5]}}
          get: {{foreach: {{range: {cells}}}, target: "jobs:get", args: ["${{shared.q}}"]}}
        """,
    )
    ran = flow("w.yaml")
    got = results(flow, "get")
    assert (ran.code, len(got)) == (0, cells), ran.stderr
    assert sorted(number for each in got for number in each) == list(range(5))  # type: ignore[attr-defined]


def test_the_last_cell_has_what_the_others_wait_for(flow: CommandLine) -> None:
    cells = available_cpus() + 2
    flow.write(
        "w.yaml",
        f"""
        shared: {{q: Queue}}
        processes:
          a:
            foreach: {{range: {cells}}}
            target: jobs:pass_on
            args: ["${{shared.q}}", "${{item}}", {cells - 1}]
        """,
    )
    ran = flow("w.yaml")
    assert (ran.code, results(flow, "a")) == (0, [cells - 1] * cells), ran.stderr


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
