"""A part of a plan: steps and cells by name with what they need, and the first items of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from plan_builders import plan_of, pool, process

from mprun.errors.exceptions import UsageError
from mprun.language.references import parse
from mprun.language.targets import parse_target
from mprun.plan.plan import Plan, ProcessStep, SharedThing
from mprun.planning.only import first, narrowed, only
from mprun.sources.table import (
    CallSource,
    CsvSource,
    JsonlSource,
    LinesSource,
    ListSource,
    MatrixSource,
    PickedSource,
    RangeSource,
    ResultsSource,
    SliceSource,
    Source,
)

GRID = MatrixSource((("model", ListSource(("cnn", "mlp"))), ("depth", RangeSource(1, 3, 1))))
NUMBERS = CallSource(parse_target("jobs:numbers", ""), (), {})


def fan_out(name: str, cells: Source, *needs: str) -> ProcessStep:
    return replace(process(name, "jobs:f", needs=needs), cells=cells, cell="item")


PLAN = plan_of(
    process("clock", "jobs:tick", daemon=True),
    process("first", "jobs:f"),
    fan_out("each", ListSource(("north", "south", "north")), "first"),
    fan_out("grid", GRID, "first"),
    fan_out("made", NUMBERS),
    pool("count", "jobs:f", 100, needs=("each",)),
    pool("once", "jobs:f", call="apply"),
    pool("after", "jobs:f", ResultsSource("count"), call="imap", needs=("count",)),
)

ONLY: list[tuple[list[str], list[str]]] = [
    (["first"], ["first"]),
    (["each"], ["first", "each"]),
    (["after"], ["first", "each", "count", "after"]),
    (["once", "grid"], ["first", "grid", "once"]),
    (["each@south"], ["first", "each"]),
]


@pytest.mark.parametrize(("wanted", "names"), ONLY)
def test_a_step_comes_with_what_it_needs(wanted: list[str], names: list[str]) -> None:
    assert [step.name for step in only(PLAN, wanted).steps] == names


def test_what_no_step_of_it_is_given_is_left_out() -> None:
    lock, rows = SharedThing("lock", "Lock"), SharedThing("rows", "Queue")
    steps = process("put", "jobs:f", parse("${shared.rows}")), process("take", "jobs:f", parse("${shared.lock}"))
    plan = replace(plan_of(*steps, process("say", "jobs:f")), shared=(lock, rows))
    for wanted, shared in ((["put"], (rows,)), (["take", "put"], (lock, rows)), (["say"], ())):
        assert only(plan, wanted).shared == shared


def picked(source: Source, labels: str, *indexes: int) -> PickedSource:
    return PickedSource(source, indexes, tuple(labels.split()))


NAMES = ListSource(("north", "south", "north"))
CELLS: list[tuple[list[str], Source]] = [
    (["each@south"], picked(NAMES, "south", 1)),
    (["each@south", "each@north", "each@south"], picked(NAMES, "north south", 0, 1)),
    (["each@north#2"], picked(NAMES, "north#2", 2)),
    (["each@south", "count"], picked(NAMES, "south", 1)),
    (["each@south", "each"], NAMES),
    (["count"], NAMES),
]


@pytest.mark.parametrize(("wanted", "cells"), CELLS)
def test_cells_by_their_labels(wanted: list[str], cells: Source) -> None:
    each = only(PLAN, wanted).step("each")
    assert isinstance(each, ProcessStep)
    assert each.cells == cells


def test_a_cell_of_a_matrix() -> None:
    grid = only(PLAN, ["grid@mlp-2"]).step("grid")
    assert isinstance(grid, ProcessStep)
    assert grid.cells == picked(GRID, "mlp-2", 3)


def test_a_cell_by_the_key_of_its_step() -> None:
    plan = plan_of(replace(fan_out("grid", GRID), keys=parse("d${matrix.depth}")))
    grid = only(plan, ["grid@d2", "grid@d1#2"]).step("grid")
    assert isinstance(grid, ProcessStep)
    assert grid.cells == picked(GRID, "d2 d1#2", 1, 2)
    with pytest.raises(UsageError, match="no cell `cnn-1`; there is d1, d2, d1#2, d2#3"):
        only(plan, ["grid@cnn-1"])


WRONG: list[tuple[str, str]] = [
    ("cont", "`--only cont`: there is no step `cont`; did you mean `count`?"),
    ("xyz", "`--only xyz`: there is no step `xyz`; there is clock, first, each, grid, made, count, once, after"),
    ("each@nort", "`--only each@nort`: `each` has no cell `nort`; did you mean `north`?"),
    ("each@", "`--only each@`: `each` has no cell ``; there is north, south, north#2"),
    ("grid@x", "`--only grid@x`: `grid` has no cell `x`; there is cnn-1, cnn-2, mlp-1, mlp-2"),
    ("count@3", "`--only count@3`: `count` is a pool, which has tasks and no cells"),
    ("first@1", "`--only first@1`: `first` is a single process, and has no cells"),
    ("made@1", "`--only made@1`: only the run shows which cells `made` has"),
]


@pytest.mark.parametrize(("wanted", "told"), WRONG)
def test_what_is_not_there(wanted: str, told: str) -> None:
    with pytest.raises(UsageError) as refused:
        only(PLAN, [wanted])
    assert str(refused.value) == told


@pytest.mark.parametrize(
    ("cells", "label", "told"),
    [
        (CsvSource, "file:3", "file:3: 2 fields, and the header names 1"),
        (LinesSource, "x", "'utf-8' codec can't decode byte 0xff in position 8: invalid start byte"),
        (JsonlSource, "file:1", "file:1: Expecting value at character 1"),
    ],
)
def test_cells_that_cannot_be_read(
    cells: Callable[[str], Source], label: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_bytes(b"n\n1\n2,3\n\xff\n")
    with pytest.raises(UsageError) as refused:
        only(plan_of(fan_out("each", cells("file"))), [f"each@{label}"])
    assert str(refused.value) == f"`--only each@{label}`: a cell of `each` can't be read: {told}"


def test_a_file_of_cells_that_is_gone(tmp_path: Path) -> None:
    path = str(tmp_path / "gone")
    with pytest.raises(UsageError, match=r"a cell of `each` can't be read: .* No such file or directory"):
        only(plan_of(fan_out("each", LinesSource(path))), ["each@x"])


def test_the_first_items_of_each() -> None:
    cut: Plan = first(PLAN, 2)
    sources = {step.name: step.cells if isinstance(step, ProcessStep) else step.source for step in cut.steps}
    assert sources == {
        "clock": None,
        "first": None,
        "each": SliceSource(ListSource(("north", "south", "north")), 0, 2),
        "grid": SliceSource(GRID, 0, 2),
        "made": SliceSource(NUMBERS, 0, 2),
        "count": SliceSource(RangeSource(0, 100, 1), 0, 2),
        "once": ListSource((None,)),
        "after": SliceSource(ResultsSource("count"), 0, 2),
    }


def test_nothing_asked_for_changes_nothing() -> None:
    assert narrowed(PLAN, [], None) is PLAN
