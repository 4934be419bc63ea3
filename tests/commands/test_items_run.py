"""Each source of items and each call of a pool, from the workflow file to what the target was called with."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import CommandLine

JOBS = """
def told(*args, **kwargs):
    return [list(args), kwargs]
def row(name: str, count: int):
    return [name, count]
def countdown(start, step=1):
    yield from range(start, 0, -step)
"""

FILES = {
    "rows.csv": "name,count\nnorth,1\nsouth,2\n\neast,three\nwest,4,5\n",
    "values.jsonl": '{"a": 1}\n\n[2]\nnot json\n"x"\n',
}

# What is written of the pool, and what its tasks were called with: (args, kwargs); the error of those that failed.
CALLS: list[tuple[str, list[Any]]] = [
    ("map: [1, 2]", [[[1], {}], [[2], {}]]),
    ("map: [1, 2], kwargs: {b: 3}", [[[1], {"b": 3}], [[2], {"b": 3}]]),
    ("starmap: [[1, 2], {a: 3}], kwargs: {b: 4}", [[[1, 2], {"b": 4}], [[], {"b": 4, "a": 3}]]),
    ("matrix: {a: [1, 2], b: {range: 2}}", [[[], {"a": a, "b": b}] for a in (1, 2) for b in (0, 1)]),
    ("matrix: {a: [1, 2], exclude: [{a: 1}]}, kwargs: {c: 3}", [[[], {"c": 3, "a": 2}]]),
    ("zip: {a: [1, 2], b: [x, y]}", [[[], {"a": 1, "b": "x"}], [[], {"a": 2, "b": "y"}]]),
    ("map: {range: 9, skip: 2, first: 3}", [[[2], {}], [[3], {}], [[4], {}]]),
    (
        "map: {csv: rows.csv}",
        [
            [[{"name": "north", "count": "1"}], {}],
            [[{"name": "south", "count": "2"}], {}],
            [[{"name": "east", "count": "three"}], {}],
            "rows.csv:6: 3 fields, and the header names 2",
        ],
    ),
    (
        "imap: {jsonl: values.jsonl}",
        [[[{"a": 1}], {}], [[[2]], {}], "values.jsonl:4: Expecting value at character 1", [["x"], {}]],
    ),
    ("imap_unordered: {csv: rows.csv, skip: 1, first: 1}", [[[{"name": "south", "count": "2"}], {}]]),
]


def run_pool(mprun: CommandLine, written: str, target: str = "told") -> list[Any]:
    mprun.write("jobs.py", JOBS)
    for name, text in FILES.items():
        mprun.write(name, text)
    mprun.write("w.yaml", f"pools: {{p: {{target: 'jobs:{target}', processes: 2, {written}}}}}")
    ran = mprun("w.yaml")
    results = sorted((event for event in mprun.log() if event["event"] == "task.result"), key=lambda e: e["task"])
    assert ran.code == any(event["outcome"] != "returned" for event in results), ran.stderr
    return [event["result"] if event["outcome"] == "returned" else event["exception.message"] for event in results]


@pytest.mark.parametrize("engine", ["local", "stdlib"])
@pytest.mark.parametrize(("written", "told"), CALLS, ids=[written for written, _ in CALLS])
def test_what_the_target_is_called_with(written: str, told: list[Any], engine: str, mprun: CommandLine) -> None:
    assert run_pool(mprun, f"{written}, engine: {engine}") == told


@pytest.mark.parametrize("engine", ["local", "stdlib"])
def test_rows_are_converted_and_a_bad_one_fails_with_its_place(engine: str, mprun: CommandLine) -> None:
    assert run_pool(mprun, f"starmap: {{csv: rows.csv}}, engine: {engine}", "row") == [
        ["north", 1],
        ["south", 2],
        "rows.csv:5: `row` takes `count` as an int, not the text `three`",
        "rows.csv:6: 3 fields, and the header names 2",
    ]


def test_what_a_generator_yields(mprun: CommandLine) -> None:
    written = "imap: {call: 'jobs:countdown', args: [6], kwargs: {step: 2}}"
    assert run_pool(mprun, written) == [[[6], {}], [[4], {}], [[2], {}]]


def test_the_parts_of_a_path(mprun: CommandLine) -> None:
    """Of items, axes and parameters; a mapping's own field of that name wins."""
    mprun.write("in/a.txt", "a")
    mprun.write("in/b.c.txt", "b")
    mprun.write("out/.keep", "")
    mprun.write("jobs.py", "def show(*parts): return list(parts)")
    mprun.write(
        "w.yaml",
        """
        params: {file: {type: path, default: /data/x.tar.gz}}
        pools:
          copy: {command: [cp, "${item}", "out/${item.stem}.bak"], map: {glob: "in/*.txt"}}
        processes:
          cell:
            target: jobs:show
            foreach: {glob: "in/*.txt"}
            args: ["${item.name}", "${item.stem}", "${item.suffix}", "${item.parent}", "${item.parent.parent}"]
            keys: ${item.stem}
          parameter: {target: jobs:show, args: ["${params.file.name}", "${params.file.parent.name}"]}
          field: {target: jobs:show, foreach: [{stem: own}], args: ["${item.stem}"]}
        """,
    )
    ran = mprun("w.yaml")
    assert ran.code == 0, ran.stderr
    assert {path.name for path in (mprun.folder / "out").iterdir()} == {".keep", "a.bak", "b.c.bak"}
    results = {(e["step"], e.get("cell")): e["result"] for e in mprun.log() if e["event"] == "process.result"}
    assert results == {
        ("cell", "a"): ["a.txt", "a", ".txt", "in", "."],
        ("cell", "b.c"): ["b.c.txt", "b.c", ".txt", "in", "."],
        ("parameter", None): ["x.tar.gz", "data"],
        ("field", "own"): ["own"],
    }
