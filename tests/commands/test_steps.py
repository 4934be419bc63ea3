"""Workflows that fan out, run programs, depend on conditions and end in good order, as a user meets them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conftest import CommandLine
from log_checks import outcomes

PAGE = (Path(__file__).parents[2] / "docs/steps.md").read_text(encoding="utf-8")

JOBS = """
    import os
    import sys

    def square(number):
        return number * number

    def listed():
        return ["a", "b", {"deep": 1}]

    def show(*values, **named):
        print(*values, *named.items())
        return list(values)

    def fail(why):
        raise ValueError(why)

    def ask():
        return input("a word? ")

    def whereabouts():
        return [os.getpid(), os.getcwd(), os.environ.get("WHO"), sys.stdout.isatty()]
"""


@pytest.fixture
def flow(mprun: CommandLine) -> CommandLine:
    mprun.write("jobs.py", JOBS)
    return mprun


EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=["steps", "files"])
def test_an_example_of_the_page_is_one(mprun: CommandLine, example: str) -> None:
    mprun.write("src/a.c", "")
    mprun.write("src/all.h", "")
    (mprun.folder / "page.yaml").write_text(example)
    assert mprun("validate", "--no-import", "page.yaml").stderr == ""
    assert mprun("plan", "--no-import", "page.yaml").code == 0


def test_failures_are_told_by_their_cells(flow: CommandLine) -> None:
    flow.write(
        "w.yaml",
        """
        processes:
          fetch: {foreach: [north, "", south], command: [test, -n, "${item}"]}
          grid: {matrix: {a: [1, 2], b: [x]}, target: "jobs:show"}
          some: {zip: {a: [1, 2], b: [3, 4]}, target: "jobs:show", args: ["${matrix.a}"], kwargs: {sum: "${matrix.b}"}}
        """,
    )
    ran = flow("w.yaml")
    assert ran.code == 1
    assert 'fetch@"": raised: mprun.CommandFailed: `test` exited with code 1\n' in ran.stderr
    assert 'fetch: ["", –, ""]' in ran.stderr
    assert sorted(ran.stdout.splitlines()) == [
        "('a', 1) ('b', 'x')", "('a', 2) ('b', 'x')", "1 ('sum', 3)", "2 ('sum', 4)",
    ]  # fmt: skip
    grid = [event for event in flow.log() if event["event"] == "process.started" and event["step"] == "grid"]
    assert [event["cell"] for event in grid] == ["1-x", "2-x"]


def test_cells_of_results(flow: CommandLine) -> None:
    """The children load what they are of; a part of each can be referred to; all are kept in their order."""
    flow.write(
        "w.yaml",
        """
        processes:
          first: {target: "jobs:listed"}
          each: {foreach: "${results.first}", target: "jobs:show", args: ["${item}"], needs: first}
          all: {target: "jobs:show", args: ["${results.each}"]}
          numbers: {foreach: "${results.squares}", command: [echo, "n=${item}"]}
        pools:
          squares: {target: "jobs:square", map: {range: 3}}
        """,
    )
    ran = flow("w.yaml")
    assert (ran.code, outcomes(flow.log(), "each")) == (0, ["returned"] * 3)
    assert "[['a'], ['b'], [{'deep': 1}]]" in ran.stdout
    assert 'numbers: ["n=0", "n=1", "n=4"]' in ran.stderr


def test_a_condition_of_a_parameter(flow: CommandLine) -> None:
    flow.write(
        "w.yaml",
        """
        params: {mode: fast, n: 3}
        processes:
          fast: {target: "jobs:square", args: ["${params.n}"], if: "${params.mode} == 'fast' and ${params.n} < 10"}
          slow: {target: "jobs:square", args: [1], if: "${params.mode} in ['slow', 'careful']"}
        """,
    )
    assert "slow: skipped: its `if` is false: ${params.mode} in ['slow', 'careful']" in flow("w.yaml").stderr
    told = flow("w.yaml", "-p", "mode=slow").stderr
    assert "fast: skipped" in told
    assert "slow: 1" in told


AROUND = """
    processes:
      work: {target: "jobs:fail", args: [why]}
    pools:
      never: {target: "jobs:square", map: [1], needs: work}
    on_success: {well: {target: "jobs:show", args: [well]}}
    on_failure:
      badly: {target: "jobs:show", args: ["it ${run.outcome}", "${results.work}", "${results.never}"]}
    on_exit: {last: {command: [echo, "${run.outcome}"]}}
"""


@pytest.mark.parametrize("inline", [(), ("--inline",)])
def test_the_steps_around_a_run(flow: CommandLine, inline: tuple[str, ...]) -> None:
    """There is nothing where a step failed or was skipped."""
    flow.write("w.yaml", AROUND)
    ran = flow("run", "w.yaml", *inline)
    assert (ran.code, ran.stdout) == (1, "it failed None None\nfailed\n")
    assert "well: skipped: the run failed" in ran.stderr


# -- in one process


def test_one_process_has_it_all(flow: CommandLine) -> None:
    """Its input, its output, and the workflow's surroundings; what can't be kept is said, once."""
    flow.write(
        "w.yaml",
        """
        env: {WHO: me}
        processes:
          ask: {target: "jobs:ask", timeout: 5s}
          where: {target: "jobs:whereabouts", needs: ask, max_memory: 1G, slow_after: 1s}
        """,
    )
    ran = flow.shell("echo word | $MPRUN run w.yaml --inline")
    assert ran.code == 0
    assert ran.stderr.count("doesn't keep `timeout` of `ask`; `slow_after`, `max_memory` of `where`") == 1
    assert ran.stdout == "a word? "
    assert 'ask: "word"' in ran.stderr
    started = [event["pid"] for event in flow.log() if event["event"] == "process.started"]
    (where,) = [event["result"] for event in flow.log() if event.get("step") == "where" and "result" in event]
    assert where == [started[0], str(flow.folder), "me", False]
    assert started[0] == started[1] == flow.log()[0]["pid"]


def test_one_process_is_verified_too(flow: CommandLine) -> None:
    flow.write("w.yaml", "pools: {p: {target: 'jobs:square', map: {range: 5}}}")
    assert flow("run", "w.yaml", "--inline").code == 0
    assert flow("verify", flow.log()[0]["run_id"]).code == 0
    assert [event["result"] for event in flow.log() if event["event"] == "task.result"] == [0, 1, 4, 9, 16]


def test_one_process_has_no_room_for_a_daemon(flow: CommandLine) -> None:
    flow.write("w.yaml", "processes: {a: {target: 'jobs:ask', daemon: true}, b: {target: 'jobs:ask'}}")
    ran = flow("run", "w.yaml", "--inline")
    assert (ran.code, ran.stderr) == (2, "error: `--inline`: the daemon `a` would let no other step begin\n")


def test_one_process_shares_nothing(flow: CommandLine) -> None:
    where, show = "{target: 'jobs:whereabouts'}", "{target: 'builtins:repr', args: ['${shared.rows}']}"
    flow.write("w.yaml", f"shared: {{rows: Lock}}\nprocesses: {{a: {where}, b: {show}}}")
    ran = flow("run", "w.yaml", "--inline")
    assert (ran.code, ran.stdout) == (2, "")
    assert "where children share something (`rows`); `--only STEP` runs" in ran.stderr
    assert flow("run", "w.yaml", "--inline", "--only", "a").code == 0


@pytest.mark.parametrize(
    ("written", "ran"),
    [
        ("${results.count} > 2", True),
        ("${results.count} > 3", False),
        ("3 in ${results.squares}", False),
        ("4 in ${results.squares} and ${results.count} == 3", True),
        ("${results.settings.depth} == 2", True),
        ("${results.settings.names.0} == 'a'", True),
    ],
)
def test_results_decide(written: str, ran: bool, mprun: CommandLine) -> None:
    mprun.write("w.yaml", DECIDED.format(f'"{written}"'))
    mprun.write("decided.py", DECIDED_TARGETS)
    assert mprun("w.yaml").code == 0
    (event,) = [event for event in mprun.log() if event.get("step") == "it" and event["event"] != "step.started"][-1:]
    assert (event["event"], event.get("outcome")) == (("step.finished", "succeeded") if ran else ("step.skipped", None))


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("${results.settings.breadth} == 2", "it has no `breadth`: it is a mapping with depth, names"),
        ("${results.where} == 'x'", "it holds a decided.Place"),
        ("${results.long} == 'x'", "it is too large"),
    ],
)
def test_a_result_that_nothing_can_be_decided_by_is_a_failure(written: str, reason: str, mprun: CommandLine) -> None:
    mprun.write("w.yaml", DECIDED.format(f'"{written}"'))
    mprun.write("decided.py", DECIDED_TARGETS)
    assert mprun("w.yaml").code == 1
    (skipped,) = [event for event in mprun.log() if event["event"] == "step.skipped"]
    assert skipped["reason"] == f"its `if` can't be decided: {reason}"


DECIDED = """
processes:
  count: {{target: "builtins:len", args: [[1, 2, 3]]}}
  settings: {{target: "decided:settings"}}
  where: {{target: "decided:where"}}
  long: {{target: "decided:long"}}
  it: {{target: "builtins:len", args: ["x"], if: {}}}
pools:
  squares: {{target: "decided:square", map: [1, 2], processes: 1}}
"""
DECIDED_TARGETS = """
class Place:
    pass

def settings(): return {"depth": 2, "names": ["a"]}
def where(): return Place()
def long(): return "x" * 2_000_000
def square(number): return number * number
"""
