"""A part of a workflow, run."""

from __future__ import annotations

import pytest
from conftest import CommandLine

W = """
processes:
  prepare: {target: "time:time"}
pools:
  count: {target: "builtins:abs", map: {range: 100}, needs: prepare}
  other: {target: "builtins:abs", map: [1]}
"""


def test_a_part_is_run(mprun: CommandLine) -> None:
    mprun.write("w.yaml", W)
    assert mprun("run", "w.yaml", "--only", "count", "--first", "3", "-q").code == 0
    log = mprun.log()
    assert [step["step"] for step in log[0]["steps"]] == ["prepare", "count"]
    assert sorted(event["task"] for event in log if event["event"] == "task.result") == [0, 1, 2]


@pytest.mark.parametrize("command", ["run", "plan"])
def test_what_is_not_there_starts_nothing(mprun: CommandLine, command: str) -> None:
    mprun.write("w.yaml", W)
    ran = mprun(command, "w.yaml", "--only", "cuont")
    assert (ran.code, ran.stderr) == (2, "error: `--only cuont`: there is no step `cuont`; did you mean `count`?\n")
    assert mprun.logs() == []


def test_a_cell_is_called_as_it_is_among_all(mprun: CommandLine) -> None:
    """By the axes of its matrix, though the run has that cell alone; its address finds it again."""
    mprun.write("w.yaml", "processes: {p: {target: 'builtins:dict', matrix: {m: [a, b, b], include: [{m: b, d: 5}]}}}")
    assert mprun("run", "w.yaml", "--only", "p@b#2", "--only", "p@a", "-q").code == 0
    assert sorted(event["cell"] for event in mprun.log() if event["event"] == "process.result") == ["a", "b#2"]
    assert mprun("repro", "latest", "p@b#2").stdout.startswith("builtins.dict(m='b', d=5)\n")


def test_the_program_of_one_cell_has_that_cell_alone(mprun: CommandLine) -> None:
    mprun.write(
        "w.yaml", "processes: {p: {target: 'builtins:print', foreach: [a, b], args: ['${item}'], max_parallel: 1}}"
    )
    assert 'for item in ["a"]' in mprun("plan", "w.yaml", "--only", "p@a", "--python").stdout


def test_the_first_items_of_a_list_that_a_step_returned(mprun: CommandLine) -> None:
    """Of a process that returns it whole, and of a pool, whether it is waited for or streams."""
    mprun.write("jobs.py", "def numbers():\n    return list(range(10))\n")
    mprun.write(
        "w.yaml",
        """
        processes:
          numbers: {target: "jobs:numbers"}
          cells: {target: "builtins:abs", foreach: "${results.numbers}", args: ["${item}"]}
        pools:
          mapped: {target: "builtins:abs", map: "${results.numbers}"}
          again: {target: "builtins:abs", imap: "${results.mapped}"}
        """,
    )
    assert mprun("run", "w.yaml", "--first", "2", "-q").code == 0
    tasks = [event["step"] for event in mprun.log() if event["event"].endswith(".result")]
    assert {name: tasks.count(name) for name in tasks} == {"numbers": 1, "cells": 2, "mapped": 2, "again": 2}
