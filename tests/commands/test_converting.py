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


EACH_WAY = """
from datetime import date
from pathlib import Path
from typing import Annotated
from pydantic import Field, StringConstraints

def five(): return "5"
def minus(): return -3
def add(n: int) -> int: return n + n
def counts(c: dict[str, int]) -> dict[str, int]: return c
def words(): return {"a": "one"}
def positive(n: Annotated[int, Field(gt=0)]) -> int: return n
def low(s: Annotated[str, StringConstraints(to_lower=True, min_length=2)]) -> str: return s
def tag(n: int, prefix: str | None = "x"): return [n, prefix]
def maybe(path: Path | None): return path is None
def days(start: date, many: int):
    for number in range(many):
        yield start.isoformat()
def made(start: date): return [start.year]
def year(known): return known[0]
def two(): return ["a", "b"]
def either(path: Path | str): return isinstance(path, str)
def number(number: int | str): return number
def day(day: date): return day.day
"""


def results_of(mprun: CommandLine, step: str) -> list[object]:
    """What each call of `step` returned, or the name of its error, by task."""
    results = [e for e in mprun.log() if e["event"] in ("process.result", "task.result") and e["step"] == step]
    results.sort(key=lambda event: event.get("task", 0))
    return [event.get("result", event.get("exception.type")) for event in results]


REFUSED = ["mprun.ConversionError"]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("processes: {v: {target: 'jobs:five'}, a: {target: 'jobs:add', args: ['${results.v}']}}", REFUSED),
        ("processes: {v: {target: 'jobs:words'}, a: {target: 'jobs:counts', args: ['${results.v}']}}", REFUSED),
        ("processes: {v: {target: 'jobs:minus'}, a: {target: 'jobs:positive', args: ['${results.v}']}}", REFUSED),
        ("pools: {a: {target: 'jobs:low', map: {lines: words.txt}}}", ["abc", "de"]),
        ("pools: {a: {target: 'jobs:tag', map: {lines: numbers.txt}, kwargs: {prefix: ''}}}", [[1, ""], [2, ""]]),
        (
            "processes: {a: {target: 'jobs:tag', foreach: {lines: numbers.txt}, args: ['${item}', '']}}",
            [[1, ""], [2, ""]],
        ),
        ("pools: {a: {target: 'jobs:tag', starmap: {csv: rows.csv}}}", [[1, None], [2, "b"]]),
        ("pools: {a: {target: 'jobs:maybe', map: {lines: paths.txt}}}", [False, True]),
        (
            "processes: {v: {target: 'jobs:two'}}\npools: {a: {target: 'jobs:either', map: '${results.v}'}}",
            [True, True],
        ),
        ("pools: {a: {target: 'jobs:number', starmap: {csv: number.csv}}}", REFUSED),
        ("processes: {a: {target: 'jobs:number', foreach: {csv: number.csv}, args: ['${item.number}']}}", REFUSED),
        ("processes: {a: {target: 'jobs:either', foreach: {jsonl: paths.jsonl}, args: ['${item}']}}", REFUSED),
        ("pools: {a: {target: 'jobs:tag', starmap: {csv: rows.csv}, kwargs: {prefix: c}}}", [[1, None], [2, "b"]]),
        ("pools: {a: {target: 'jobs:day', map: {jsonl: days.jsonl}}}", [31, 1]),
        (
            "pools: {a: {target: 'builtins:str', map: {call: 'jobs:days', args: ['2026-01-31', 2]}}}",
            ["2026-01-31", "2026-01-31"],
        ),
        (
            "shared: {known: {object: {call: 'jobs:made', args: ['2026-01-31']}}}\n"
            "processes: {a: {target: 'jobs:year', args: ['${shared.known}']}}",
            [2026],
        ),
    ],
)
def test_each_way_into_a_call(mprun: CommandLine, steps: str, expected: list[object]) -> None:
    """What a parameter's annotation says holds for results, items, files' texts and the workflow's own arguments."""
    mprun.write("jobs.py", EACH_WAY)
    mprun.write("words.txt", "\ufeffABC\nDE\n")
    mprun.write("numbers.txt", "1\n2\n")
    mprun.write("paths.txt", "a\n\n")
    mprun.write("rows.csv", "n,prefix\n1,\n2,b\n")
    mprun.write("number.csv", "number\n5\n")
    mprun.write("paths.jsonl", '"a"\n')
    mprun.write("days.jsonl", '{"$date":"2026-01-31"}\n"2026-02-01"\n')
    mprun.write("w.yaml", steps)
    ran = mprun("w.yaml")
    assert (results_of(mprun, "a"), ran.code) == (expected, 1 if expected == REFUSED else 0), ran.stderr


SAVED = """
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from pathlib import Path

class Color(Enum):
    RED = "red"

@dataclass
class Row:
    name: str | None
    day: date
    took: timedelta
    color: Color
    path: Path
    done: bool

def rows(): return [
    Row("a\\rb, c", date(2026, 1, 31), timedelta(seconds=90.5), Color.RED, Path("a b"), True),
    Row(None, date(2026, 2, 1), timedelta(0), Color.RED, Path("."), False),
]
def all_of(row: Row): return rows().index(row)
"""


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_what_is_saved_is_the_same_for_the_step_that_reads_it(form: str, mprun: CommandLine) -> None:
    mprun.write("jobs.py", SAVED)
    mprun.write("save.yaml", f"processes: {{rows: {{target: 'jobs:rows', save: rows.{form}}}}}")
    mprun.write("read.yaml", f"pools: {{a: {{target: 'jobs:all_of', map: {{{form}: rows.{form}}}}}}}")
    assert mprun("save.yaml").code == 0
    ran = mprun("read.yaml")
    assert (results_of(mprun, "a"), ran.code) == ([0, 1], 0), ran.stderr
