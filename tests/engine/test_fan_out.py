"""A process step with cells: one Process for each, and everything that a single one can do, for each of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from plan_builders import pool, process

from engine.harness import HERE, Ran, run, zoo_plan
from mprun.errors.exceptions import ExitCode
from mprun.language.references import Reference, parse
from mprun.language.targets import parse_target
from mprun.plan.plan import CellForm, Limits, ProcessStep, Retries, StartMethod
from mprun.sources.table import CallSource, CsvSource, LinesSource, ListSource, RangeSource, ResultsSource, Source

pytestmark = pytest.mark.usefixtures("warm")

LONG = 60.0  # seconds; nothing here may wait that long
ITEM = Reference("item")


def fan_out(
    target: str,
    cells: Source | list[Any],
    *args: Any,
    cell: CellForm = "item",
    max_parallel: int = 0,
    limits: Limits | None = None,
    **kwargs: Any,
) -> ProcessStep:
    source = ListSource(tuple(cells)) if isinstance(cells, list) else cells
    return replace(
        process("zoo", target if ":" in target else f"zoo:{target}", *args, folder=HERE, **kwargs),
        cells=source,
        cell=cell,
        max_parallel=max_parallel,
        limits=limits or Limits(),
    )


def run_it(tmp_path: Path, step: ProcessStep, start_method: StartMethod = "fork", **options: Any) -> Ran:
    return run(zoo_plan(step, start_method=start_method, **options), tmp_path)


# -- what a cell is given


def test_each_cell_has_its_process(tmp_path: Path, start_method: StartMethod) -> None:
    """Its index is the task, its label is told in each event, and the results stand in the order of the cells."""
    ran = run_it(tmp_path, fan_out("add", [10, 20, 30], ITEM, 1), start_method)
    assert ran.values() == [11, 21, 31]
    assert len(set(ran.children)) == 3
    for name in ("process.started", "process.result", "process.joined"):
        assert {(event["task"], event["cell"]) for event in ran.named(name)} == {(0, "10"), (1, "20"), (2, "30")}
    assert ran.one("step.started")["tasks"] == 3
    assert ran.one("step.finished")["returned"] == 3


@pytest.mark.parametrize(
    ("step", "values"),
    [
        (fan_out("add", [{"a": 1, "b": [5]}], parse("${item.a}"), parse("${item.b.0}")), [6]),
        (fan_out("add", [["x", "y"]], parse("<${item.1}>"), ""), ["<y>"]),
        (fan_out("add", [{"a": 1, "b": 2}], parse("${matrix.a}"), parse("${matrix.b}"), cell="matrix"), [3]),
        (fan_out("keywords", [{"one": 5, "other": 2}, {"one": 1, "other": 1}], cell="kwargs"), [3, 0]),
        (fan_out("keywords", [5], ITEM, other=ITEM), [0]),
        (fan_out("square", RangeSource(0, 4, 1), ITEM), [0, 1, 4, 9]),
        (fan_out("add", [[1], [2]], ITEM, ITEM), [[1, 1], [2, 2]]),
        (fan_out("pid", []), []),
    ],
)
def test_what_arguments_refer_to(tmp_path: Path, step: ProcessStep, values: list[Any]) -> None:
    """Items and their parts keep their type when alone, and are written out inside a text."""
    ran = run_it(tmp_path, step)
    assert ran.values() == values
    assert ran.end.exit_code is ExitCode.SUCCEEDED


def test_a_part_that_is_not_there(tmp_path: Path) -> None:
    """The cell raises, with the reference and what there is; the others return."""
    ran = run_it(tmp_path, fan_out("square", [{"n": 3}, {"m": 4}], parse("${item.n}")))
    assert ran.outcomes() == ["returned", "raised"]
    assert ran.results()[1]["exception.message"] == "`${item.n}` leads nowhere: it has no `n`: it is a mapping with m"
    assert ran.results()[1]["args"] == ["${item.n}"]


def test_labels_of_cells(tmp_path: Path) -> None:
    """Visible, bounded, and unique."""
    items = [{"model": "cnn", "depth": 3}, "north", "north", "a\nb", "x" * 100, None, ""]
    ran = run_it(tmp_path, fan_out("pid", items))
    assert [result["cell"] for result in ran.results()] == [
        "cnn-3", "north", "north#2", "a\\nb", "x" * 63 + "…", "null", '""',
    ]  # fmt: skip


def test_what_a_cell_prints_is_told_of_it(tmp_path: Path) -> None:
    ran = run_it(tmp_path, fan_out("prints", ["print"], ITEM))
    assert {(event["task"], event["cell"]) for event in ran.named("output")} == {(0, "print")}


# -- how many at once


def test_no_more_cells_at_once_than_the_step_allows(tmp_path: Path) -> None:
    (folder := tmp_path / "living").mkdir()
    ran = run_it(tmp_path, fan_out("counts_the_living", RangeSource(0, 8, 1), str(folder), ITEM, max_parallel=2))
    assert max(ran.values()) <= 2
    changes = [{"process.started": 1, "process.joined": -1}.get(event["event"], 0) for event in ran.events]
    assert max(accumulate(changes)) == 2


def test_no_more_cells_at_once_than_the_run_allows(tmp_path: Path) -> None:
    """Every step comes to its turn, whoever waits for whose slots."""
    (folder := tmp_path / "living").mkdir()
    cells = fan_out("counts_the_living", RangeSource(0, 5, 1), str(folder), ITEM, max_parallel=4)
    others = [process(f"p{n}", "zoo:counts_the_living", str(folder), 10 + n, folder=HERE) for n in range(3)]
    ran = run(zoo_plan(*others, cells, start_method="fork", max_parallel=2), tmp_path)
    assert ran.end.exit_code is ExitCode.SUCCEEDED
    assert max(event["result"] for event in ran.named("process.result")) <= 2


@pytest.mark.parametrize("cells", [[1], "flows:yields_one_and_waits"])
def test_no_slot_is_held_for_a_cell_that_is_not_there(tmp_path: Path, cells: Any) -> None:
    """Its one cell can wait for another step where there are two slots: whether no more come, or none yet."""
    if isinstance(cells, str):
        cells = CallSource(parse_target(cells, HERE), (str(tmp_path),), {})
    waits = fan_out("flows:waits_for", cells, str(tmp_path), ITEM)
    first = process("first", "zoo:square", 2, folder=HERE)
    then = process("then", "flows:takes", str(tmp_path), 0, folder=HERE, needs=("first",))
    ran = run(zoo_plan(waits, first, then, start_method="fork", max_parallel=2), tmp_path)
    assert ran.end.exit_code is ExitCode.SUCCEEDED
    assert ran.values() == [1]


# -- failing


@pytest.mark.parametrize(
    ("ends", "outcomes"),
    [
        (["ok", "raise", "ok"], ["returned", "raised", "returned"]),
        (["kill", "ok"], ["lost", "returned"]),
        (["_exit 7", "half a frame", "ok"], ["lost", "lost", "returned"]),
    ],
)
def test_a_cell_that_fails(tmp_path: Path, start_method: StartMethod, ends: list[str], outcomes: list[str]) -> None:
    """It is told of that cell alone, the others go on, and the step has failed."""
    ran = run_it(tmp_path, fan_out("end", ends, ITEM), start_method)
    assert ran.outcomes() == outcomes
    assert ran.one("step.finished")["outcome"] == "failed"
    assert ran.end.exit_code is ExitCode.FAILED


@pytest.mark.parametrize("how", ["raise", "kill"])
def test_a_cell_is_tried_again(tmp_path: Path, start_method: StartMethod, how: str) -> None:
    step = fan_out("fails_at_first", [5, 6], str(tmp_path), 1, how, ITEM, limits=Limits(retries=Retries(count=1)))
    ran = run_it(tmp_path, step, start_method)
    assert ran.values() == [5, 6]
    assert Counter((event["task"], event["attempt"]) for event in ran.named("process.retried")) == {
        (0, 1): 1,
        (1, 1): 1,
    }
    assert [result["attempt"] for result in ran.results()] == [2, 2]


def test_a_cell_that_takes_too_long(tmp_path: Path) -> None:
    ran = run_it(tmp_path, fan_out("nap", [0.0, LONG, 0.0], ITEM, limits=Limits(timeout=0.6, slow_after=0.1)))
    assert ran.outcomes() == ["returned", "timed_out", "returned"]
    assert 1 in {event["task"] for event in ran.named("process.slow")}


def test_a_fan_out_that_takes_too_long(tmp_path: Path) -> None:
    """What is at work is ended, and what was never begun is cancelled too."""
    step = fan_out("nap", [LONG] * 6, ITEM, max_parallel=2, limits=Limits(step_timeout=0.2))
    ran = run_it(tmp_path, step)
    assert ran.outcomes() == ["cancelled"] * 6
    assert len(ran.children) == 2
    assert ran.one("step.finished")["outcome"] == "failed"


def test_a_fan_out_over_results_that_takes_too_long(tmp_path: Path) -> None:
    """No cell is begun after the stop, though all that they are made of is there."""
    first = pool("first", "zoo:nap", [0.0] * 6, folder=HERE, keeps=True)
    step = fan_out(
        "nap", ResultsSource("first"), LONG, max_parallel=2, limits=Limits(step_timeout=0.2), needs=("first",)
    )
    ran = run(zoo_plan(first, step, start_method="fork"), tmp_path)
    assert ran.outcomes() == ["cancelled"] * 2
    assert len(ran.named("process.started")) == 2
    assert [event["outcome"] for event in ran.named("step.finished")] == ["succeeded", "failed"]


def test_the_first_failure_ends_the_run(tmp_path: Path) -> None:
    ran = run_it(tmp_path, fan_out("end", ["raise"] + ["ok"] * 50, ITEM, max_parallel=1), fail_fast=True)
    assert ran.outcomes() == ["raised"] + ["cancelled"] * 50
    assert ran.results()[50]["cancelled_by"] == "fail_fast: `zoo` failed"


def test_no_attempt_is_waited_for_once_the_run_is_stopped(tmp_path: Path) -> None:
    """A cell between two attempts, an hour apart, is cancelled at once."""
    step = fan_out("end", ["raise", "ok"], ITEM, limits=Limits(retries=Retries(count=1, delay=3600.0)))
    ran = run_it(tmp_path, replace(step, limits=replace(step.limits, step_timeout=1.0)))
    assert Counter(ran.outcomes()) == {"cancelled": 1, "returned": 1}


def test_cells_that_cannot_be_read(tmp_path: Path) -> None:
    """The step has failed, and says why."""
    ran = run_it(tmp_path, fan_out("pid", LinesSource(str(tmp_path / "none"))))
    assert (ran.outcomes(), ran.end.exit_code) == ([], ExitCode.FAILED)
    assert "its cells could not be read" in ran.one("step.finished")["error"]


@pytest.mark.parametrize(
    ("text", "outcomes", "error"),
    [
        ("name,n\na,1\nb,2\n", ["returned", "returned"], ""),
        ("name,n\na,1\nb\nc,3\n", ["returned", "raised", "returned"], "table.csv:3"),
    ],
)
def test_cells_of_a_table(tmp_path: Path, text: str, outcomes: list[str], error: str) -> None:
    """The child reads its row: a bad one fails as that cell, with its place."""
    (tmp_path / "table.csv").write_text(text)
    source = CsvSource(str(tmp_path / "table.csv"), str(tmp_path))
    ran = run_it(tmp_path, fan_out("add", source, parse("${item.name}"), parse("${item.n}")))
    assert ran.outcomes() == outcomes
    assert ran.results()[0]["result"] == "a1"
    assert error in ran.results()[1].get("exception.message", "")


def test_a_table_without_a_header(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("")
    ran = run_it(tmp_path, fan_out("square", CsvSource(str(tmp_path / "table.csv")), ITEM))
    assert (ran.outcomes(), ran.end.exit_code) == ([], ExitCode.FAILED)
    assert "its cells could not be read" in ran.one("step.finished")["error"]
