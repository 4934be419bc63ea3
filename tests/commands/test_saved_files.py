"""Files that hold results are of this run, or the screen says that they aren't."""

from __future__ import annotations

import json

import pytest
from conftest import CommandLine

JOBS = """
    def f(x: int) -> int:
        1 / (x - 2)
        return x * x
"""
FLOW = """
    params: {last: 3, save: out.json}
    pools:
      p: {target: "jobs:f", map: [1, "${params.last}"], save: "${params.save}", continue_on_error: true}
"""


@pytest.fixture
def flow(mprun: CommandLine) -> CommandLine:
    mprun.write("jobs.py", JOBS)
    mprun.write("flow.yaml", FLOW)
    return mprun


LACKS = {
    "out.json": ("[\n1,\nnull\n]\n", "has null for 1 failed task: 1"),
    "out.jsonl": ("1\nnull\n", "has null for 1 failed task: 1"),
    "out.csv": ("value\n1\n", "has no rows for 1 failed task: 1"),
}


@pytest.mark.parametrize("name", LACKS)
def test_a_file_of_an_earlier_run_does_not_stay(flow: CommandLine, name: str) -> None:
    """The new one has what there is, and what it lacks is said even with `-q`."""
    content, lack = LACKS[name]
    assert flow("-q", "flow.yaml", "-p", f"save={name}").stderr == ""
    ran = flow("-q", "flow.yaml", "-p", "last=2", "-p", f"save={name}")
    assert (ran.code, ran.stderr) == (0, f"p: {flow.folder / name} {lack}\n")
    assert (flow.folder / name).read_text() == content
    assert f"which {lack}" in flow("show", "latest").stdout


@pytest.mark.parametrize("old", [True, False])
def test_a_file_that_was_not_written(flow: CommandLine, old: bool) -> None:
    """It is named, with what lies there."""
    flow.write("flow.yaml", FLOW.replace(", continue_on_error: true", ""))
    if old:
        assert flow("-q", "flow.yaml").code == 0
    ran = flow("-q", "flow.yaml", "-p", "last=2")
    assert ran.code == 1
    assert f"p: {flow.folder / 'out.json'} was not written" in ran.stderr
    assert ("; the file there is of an earlier run (last changed 20" in ran.stderr) == old


def test_what_the_failure_of_another_step_leaves(flow: CommandLine) -> None:
    """The old file of a step that was skipped is named; with no file there, the skip says enough."""
    flow.write(
        "flow.yaml",
        """
        params: {x: 1}
        pools:
          first: {processes: 1, target: "jobs:f", map: ["${params.x}"]}
          second: {processes: 1, target: "jobs:f", map: [3], save: second.json, needs: first}
        """,
    )
    assert "not written" not in flow("flow.yaml", "-p", "x=2").stderr
    assert flow("flow.yaml").code == 0
    assert (
        f"second: {flow.folder / 'second.json'} was not written; the file there is"
        in flow("flow.yaml", "-p", "x=2").stderr
    )


def test_a_save_that_fails_fails_the_run(flow: CommandLine) -> None:
    """Whatever `continue_on_error` says."""
    flow.write("jobs.py", "def f(x):\n    return [[x]]\n")
    ran = flow("-q", "flow.yaml", "-p", "save=out.csv")
    assert ran.code == 1
    assert "p: failed: its results could not be saved: result 0 holds a value of type list" in ran.stderr


def test_a_folder_that_a_step_before_makes(flow: CommandLine) -> None:
    """It is accepted, as a source's file is."""
    flow.write(
        "flow.yaml",
        """
        processes:
          dirs: {command: [mkdir, -p, out]}
        pools:
          p: {processes: 1, target: "builtins:abs", map: [1], save: out/p.json, needs: dirs}
        """,
    )
    assert flow("-q", "flow.yaml").code == 0
    assert (flow.folder / "out" / "p.json").read_text() == "[\n1\n]\n"


def test_a_row_that_cannot_be_is_an_error_before_the_start(flow: CommandLine) -> None:
    flow.write("jobs.py", "def f(x: int) -> list[list[int]]:\n    return [[x]]\n")
    ran = flow("-q", "flow.yaml", "-p", "save=out.csv")
    assert (ran.code, flow.logs()) == (2, [])
    assert "a `.json` file takes any" in ran.stderr


def test_the_order_of_a_saved_file_is_that_of_the_items(flow: CommandLine) -> None:
    """Whatever is reused of an earlier run, and of a call without an order."""
    flow.write(
        "flow.yaml",
        """
        params: {last: 2}
        pools:
          p: {processes: 1, target: "jobs:f", imap_unordered: ["${params.last}", 3, 4], save: out.json}
        """,
    )
    assert flow("-q", "flow.yaml").code == 1
    assert flow("run", "-q", "flow.yaml", "-p", "last=5", "--reuse", "latest").code == 0
    assert json.loads((flow.folder / "out.json").read_text()) == [25, 9, 16]


def test_many_failures_are_given_as_ranges(flow: CommandLine) -> None:
    flow.write("jobs.py", "def f(x):\n    return 1 / (x % 1500 not in (3, 5, 6, 7) and x < 3000)\n")
    flow.write(
        "flow.yaml", 'pools: {p: {target: "jobs:f", map: {range: 4500}, save: out.jsonl, continue_on_error: true}}'
    )
    assert flow("-q", "flow.yaml").stderr == (
        f"p: {flow.folder / 'out.jsonl'} has null for 1,508 failed tasks: "
        "3, 5-7, 1503, 1505-1507, 3000-3991, … 508 more\n"
    )


def test_failed_entries_are_none_and_counted(flow: CommandLine) -> None:
    """One rule for each kind of call, and for arguments; the summary counts them at the step that takes them."""
    flow.write("jobs.py", "def f(x):\n    return 1 // (x % 2)\n\ndef g(x, *more):\n    return repr(x)\n")
    taken = "\n".join(
        f"""
          {call}: {{processes: 1, target: "jobs:g", {call}: "${{results.a}}"}}
          {call}-later: {{processes: 1, target: "jobs:g", {call}: "${{results.a}}", needs: {{a: finished}}}}"""
        for call in ("map", "imap", "imap_unordered")
    )
    flow.write(
        "flow.yaml",
        f"""
        processes:
          whole: {{target: "jobs:g", args: ["${{results.a}}", "${{results.a.1}}"]}}
          one: {{target: "jobs:g", args: ["${{results.a.2}}"]}}
          none: {{target: "jobs:g", args: ["${{results.a.1}}"]}}
        pools:
          a: {{processes: 2, target: "jobs:f", imap: [0, 1, 2, 3], continue_on_error: true}}
          {taken}
        """,
    )
    ran = flow("flow.yaml")
    assert ran.code == 0
    finished = {event["step"]: event for event in flow.log() if event["event"] == "step.finished"}
    received = {name: event.get("failures_received", {}).get("a") for name, event in finished.items()}
    calls = ("map", "imap", "imap_unordered")
    two = {name: 2 for call in calls for name in (call, f"{call}-later")}
    assert received == {"a": None, **two, "whole": 2, "one": 1, "none": None}
    assert "imap: it was given None for 2 failed tasks of `a`\n" in ran.stderr
    results = {
        name: sorted(
            event["result"] for event in flow.log() if event["event"] == "task.result" and event["step"] == name
        )
        for name in two
    }
    assert results == {name: ["1", "1", "None", "None"] for name in two}
