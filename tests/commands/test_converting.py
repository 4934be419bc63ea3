"""Arguments reach the target as its annotations say, from the workflow file to the child."""

from __future__ import annotations

import pytest
from conftest import CommandLine

JOBS = """
from dataclasses import dataclass
from datetime import date
from pathlib import Path

@dataclass
class Row:
    name: str
    born: date
    count: int

def show(*values: object) -> None:
    print(*map(repr, values))
def days(start: date, folder: Path) -> None:
    show(start, folder)
def untyped(value): show(value)
def number(value: int) -> int: return value + 1
def row(row: Row) -> str: return repr(row)
"""


@pytest.mark.parametrize(
    ("step", "printed"),
    [
        (
            "processes: {a: {target: 'jobs:days', args: ['2026-01-31', data]}}",
            ["datetime.date(2026, 1, 31) PosixPath('data')"],
        ),
        ("processes: {a: {target: 'jobs:untyped', args: ['2026-01-31']}}", ["'2026-01-31'"]),
        (
            "params: {x: {type: date, default: '2026-01-31'}}\n"
            "processes: {a: {target: 'jobs:days', args: ['${params.x}'], kwargs: {folder: x}}}",
            ["datetime.date(2026, 1, 31) PosixPath('x')"],
        ),
    ],
)
def test_a_process_gets_what_its_target_says(step: str, printed: list[str], mprun: CommandLine) -> None:
    mprun.write("jobs.py", JOBS)
    mprun.write("w.yaml", step)
    ran = mprun("w.yaml")
    assert (ran.code, ran.stdout.splitlines()) == (0, printed)


@pytest.mark.parametrize(
    ("cells", "argument"),
    [("{csv: rows.csv}", "${item.n}"), ("{lines: numbers.txt}", "${item}"), ("{csv: rows.csv, first: 2}", "${item.n}")],
)
def test_what_a_cell_is_in_a_file_of_text_is_converted(cells: str, argument: str, mprun: CommandLine) -> None:
    mprun.write("jobs.py", JOBS)
    mprun.write("rows.csv", "n\n1\n2\n")
    mprun.write("numbers.txt", "1\n2\n")
    mprun.write("w.yaml", f"processes: {{a: {{target: 'jobs:number', foreach: {cells}, args: ['{argument}']}}}}")
    ran = mprun("w.yaml")
    results = [event.get("result") for event in mprun.log() if event["event"] == "process.result"]
    assert (ran.code, sorted(results, key=str)) == (0, [2, 3])
    only = mprun("w.yaml", "--only", "a@2")
    assert only.code == 0


def test_lines_are_text_that_is_converted(mprun: CommandLine) -> None:
    mprun.write("jobs.py", JOBS)
    mprun.write("numbers.txt", "1\n2\nthree\n")
    mprun.write("w.yaml", "pools: {a: {target: 'jobs:number', map: {lines: numbers.txt}}}")
    ran = mprun("w.yaml")
    outcomes = [(event["outcome"], event.get("result")) for event in mprun.log() if event["event"] == "task.result"]
    assert (ran.code, sorted(outcomes, key=str)) == (1, [("raised", None), ("returned", 2), ("returned", 3)])
    assert "`three`" in ran.stderr
