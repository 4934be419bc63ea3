"""Each way of writing items arrives in the plan as its source."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mprun.language.targets import Target
from mprun.loading.prepare import prepare
from mprun.plan.plan import PoolStep, ProcessStep, Step
from mprun.sources.table import (
    CallSource,
    CsvSource,
    GlobSource,
    JsonlSource,
    LinesSource,
    ListSource,
    MatrixSource,
    RangeSource,
    ResultsSource,
    SliceSource,
    Source,
    ZipSource,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rows.csv").write_text("a;b\n1;2\n")
    for name in ("rows.jsonl", "texts.txt"):
        (tmp_path / name).touch()
    return tmp_path


def steps_of(folder: Path, text: str) -> dict[str, Step]:
    (folder / "w.yaml").write_text(text)
    return {step.name: step for step in prepare(str(folder / "w.yaml"), check_targets=False).steps}


AXES = (("x", ListSource((1, 2))), ("y", RangeSource(0, 3, 1)))
ITEMS: list[tuple[str, Any]] = [
    ("map: [1, a]", ListSource((1, "a"))),
    ("starmap: [[1, 2], {a: 1}]", ListSource(([1, 2], {"a": 1}))),
    ("imap: {range: [1, 9, 2]}", RangeSource(1, 9, 2)),
    ("map: {glob: '*.txt'}", GlobSource("/F/*.txt", "/F")),
    ("map: {glob: '*.none', allow_empty: true}", GlobSource("/F/*.none", "/F", True)),
    ("map: {lines: texts.txt}", LinesSource("/F/texts.txt")),
    ("imap_unordered: {csv: rows.csv, delimiter: ;}", CsvSource("/F/rows.csv", "/F", ";")),
    ("map: {jsonl: rows.jsonl, first: 10}", SliceSource(JsonlSource("/F/rows.jsonl", "/F"), 0, 10)),
    ("map: {range: 9, skip: 2}", SliceSource(RangeSource(0, 9, 1), 2, None)),
    (
        "imap: {call: 'jobs:numbers', args: [1], kwargs: {a: 2}}",
        CallSource(Target("jobs:numbers", "jobs", "", "numbers"), (1,), {"a": 2}),
    ),
    ("map: '${results.first}'", ResultsSource("first")),
    ("matrix: {x: [1, 2], y: {range: 3}}", MatrixSource(AXES)),
    (
        "matrix: {x: [1, 2], y: {range: 3}, include: [{x: 5, z: 1}], exclude: [{x: [1, 2], y: 0}]}",
        MatrixSource(AXES, ({"x": 5, "z": 1},), ({"x": [1, 2], "y": 0},)),
    ),
    ("zip: {x: [1, 2], z: [a, b]}", ZipSource((AXES[0], ("z", ListSource(("a", "b")))))),
]


def _in(folder: Path, source: Any) -> Any:
    """`source` with its paths in `folder`."""
    return eval(repr(source).replace("/F", str(folder)))


@pytest.mark.parametrize(("written", "source"), ITEMS, ids=[written for written, _ in ITEMS])
def test_the_items_of_a_pool(written: str, source: Source, folder: Path) -> None:
    text = "processes: {first: {target: 'jobs:f'}}\npools: {p: {target: 'jobs:f', " + written + "}}"
    step = steps_of(folder, text)["p"]
    assert isinstance(step, PoolStep)
    assert step.source == _in(folder, source)
    assert step.needs == ({"first": "succeeded"} if "results" in written else {})


CELLS: list[tuple[str, Any, str]] = [
    ("foreach: [a, b], args: ['${item}']", ListSource(("a", "b")), "item"),
    ("foreach: {range: 3}", RangeSource(0, 3, 1), "item"),
    ("foreach: '${results.first}'", ResultsSource("first"), "item"),
    ("matrix: {x: [1, 2], y: {range: 3}}", MatrixSource(AXES), "kwargs"),
    ("matrix: {x: [1, 2], y: {range: 3}}, args: ['${matrix.x}']", MatrixSource(AXES), "matrix"),
    ("zip: {x: [1, 2]}", ZipSource((AXES[0],)), "kwargs"),
    ("zip: {x: [1, 2]}, kwargs: {a: '${matrix.x}'}", ZipSource((AXES[0],)), "matrix"),
]


@pytest.mark.parametrize(("written", "cells", "form"), CELLS, ids=[written for written, *_ in CELLS])
def test_the_cells_of_a_fan_out(written: str, cells: Source, form: str, folder: Path) -> None:
    text = "processes: {first: {target: 'jobs:f'}, p: {target: 'jobs:f', max_parallel: 2, " + written + "}}"
    step = steps_of(folder, text)["p"]
    assert isinstance(step, ProcessStep)
    assert (step.cells, step.cell, step.max_parallel) == (cells, form, 2)


def test_a_matrix_of_a_million_cells_is_only_counted(folder: Path) -> None:
    text = "pools: {p: {target: 'jobs:f', matrix: {x: {range: 1000}, y: {range: 1000}, exclude: [{x: 1, y: 1}]}}}"
    step = steps_of(folder, text)["p"]
    assert isinstance(step, PoolStep)
    assert step.source.count() == 999_999


def test_files_that_another_step_may_write_are_not_asked_for(folder: Path) -> None:
    text = "processes: {first: {target: 'jobs:f'}}\npools:\n"
    text += "  a: {target: 'jobs:f', map: {csv: later.csv}, needs: first}\n"
    text += "  b: {target: 'jobs:f', map: {glob: '*.later'}, kwargs: {x: '${results.first}'}}\n"
    assert len(steps_of(folder, text)) == 3
