"""The table of `mprun plan`: exact for one plan, bounded and harmless for the others."""

from dataclasses import replace
from typing import Any

import pytest
from plan_builders import plan_of, pool, process

from mprun.language.references import Reference, parse
from mprun.language.targets import Target
from mprun.plan.child_spec import Retries
from mprun.plan.plan import CellForm, Limits, Step
from mprun.planning.show.limits_text import limits_text
from mprun.planning.show.step_text import call_text, size_text
from mprun.planning.show.table import CALL_WIDTH, describe
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


def test_a_plan_is_a_header_and_a_line_a_step_in_order_of_start() -> None:
    plan = plan_of(
        process("goodbye", "jobs:say", "bye", needs=("total", "clock")),
        pool("total", "jobs:add", 10_000, processes=4),
        pool("texts", "jobs:read", GlobSource("/flows/*.txt", "/flows")),
        process("clock", "jobs:tick", daemon=True, every=1.5),
        description="Add\nup.",
        env={"LANG": "C", "MODE": "fast"},
    )
    assert (
        describe(plan)
        == """\
workflow        by-hand (/flows/by-hand.yaml)
description     Add up.
start method    forkserver
working folder  /flows
environment     LANG, MODE

wave  step     kind     tasks   call                                                      needs
1     total    pool     10,000  Pool(4).map(add, range(10000))
1     texts    pool     ?       Pool(2).map(read, sorted(glob.glob("*.txt")))
1     clock    process  1       Process(target=tick, kwargs={"every": 1.5}, daemon=True)
2     goodbye  process  1       Process(target=say, args=("bye",))                        total, clock

? counted when it starts
"""
    )


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (pool("p", "jobs:f", call="apply", args=(1,), kwargs={"k": 2}), 'Pool(2).apply(f, (1,), {"k": 2})'),
        (pool("p", "jobs:f", call="apply"), "Pool(2).apply(f)"),
        (pool("p", "jobs:f", [[1, 2]], call="starmap"), "Pool(2).starmap(f, [(1, 2)])"),
        (pool("p", "jobs:C.m", list(range(99))), "Pool(2).map(C.m, [0, 1, 2, 3, 4, 5, 6, 7, …])"),
        (pool("p", "jobs:f", LinesSource("/elsewhere/x"), call="imap"), 'Pool(2).imap(f, lines_of("/elsewhere/x"))'),
        (pool("p", "jobs:f", 9, chunksize=3), "Pool(2).map(f, range(9), chunksize=3)"),
    ],
)
def test_a_call_is_written_as_in_python(step: Step, text: str) -> None:
    assert call_text(step, "/flows") == text


AXES: tuple[tuple[str, Source], ...] = (("lr", ListSource((0.1, 0.2))), ("depth", RangeSource(0, 10**6, 1)))


@pytest.mark.parametrize(
    ("source", "count", "text"),
    [
        (CsvSource("/flows/a.csv", "/flows"), "?", 'rows_of("a.csv")'),
        (CsvSource("/flows/a.tsv", "/flows", "\t"), "?", 'rows_of("a.tsv", delimiter="\\t")'),
        (JsonlSource("/flows/in/a.jsonl", "/flows"), "?", 'jsonl_of("in/a.jsonl")'),
        (SliceSource(JsonlSource("/a.jsonl"), 0, 9), "?", 'itertools.islice(jsonl_of("/a.jsonl"), 9)'),
        (SliceSource(RangeSource(0, 99, 1), 10, 5), "5", "itertools.islice(range(99), 10, 15)"),
        (SliceSource(ListSource((1,) * 9), 1), "8", "itertools.islice([1, 1, 1, 1, 1, 1, 1, 1, …], 1, None)"),
        (
            MatrixSource(AXES),
            "2 × 1,000,000 = 2,000,000",
            'combinations_of({"lr": [0.1, 0.2], "depth": range(1000000)})',
        ),
        (
            MatrixSource(AXES[:1], ({"lr": 1},), ({"lr": 0.2},)),
            "2",
            'cells_of({"lr": [0.1, 0.2]}, include=[{"lr": 1}], exclude=[{"lr": [0.2]}])',
        ),
        (ZipSource(AXES[:1]), "2", 'side_by_side({"lr": [0.1, 0.2]})'),
        (CallSource(Target("jobs:g", "jobs", "", "g"), (1,), {"k": "v"}), "?", 'g(1, k="v")'),
        (ResultsSource("count"), "?", 'results["count"]'),
    ],
)
def test_a_source_is_written_as_in_python(source: Source, count: str, text: str) -> None:
    step = pool("p", "jobs:f", source)
    assert call_text(step, "/flows") == f"Pool(2).map(f, {text})"
    assert f"\n1     p     pool  {count}" in describe(plan_of(step))


def test_a_long_call_is_cut() -> None:
    row = describe(plan_of(process("p", "jobs:f", "x" * 1000))).splitlines()[-1]
    assert row.endswith("xx…")
    assert len(row) < CALL_WIDTH + 40


def test_limits_have_a_column_where_there_are_some() -> None:
    retries = Retries(3, 0.5, "exponential", exceptions=(Target("OSError", "builtins", "", "OSError"),))
    all_of_them = Limits(30, 5400, 0.25, 512 << 20, retries, continue_on_error=True)
    plan = replace(
        plan_of(
            replace(process("a", "jobs:f"), limits=Limits(timeout=90, retries=Retries(1))),
            process("b", "jobs:f", needs=("a",)),
            replace(process("c", "jobs:f"), limits=all_of_them),
        ),
        timeout=7200.0,
        max_parallel=8,
        fail_fast=True,
        log_tasks="failures",
    )
    assert (
        describe(plan)
        == """\
workflow        by-hand (/flows/by-hand.yaml)
start method    forkserver
working folder  /flows
timeout         2h
max parallel    8
fail fast       yes
logged tasks    failures only

wave  step  kind     tasks  call               limits                                                        needs
1     a     process  1      Process(target=f)  timeout 1m30s, 1 retry
1     c     process  1      Process(target=f)  timeout 30s, step timeout 1h30m, slow after 250ms, 3 retrie…
2     b     process  1      Process(target=f)                                                                a
"""
    )


def test_an_engine_has_a_column_where_it_is_not_the_usual_one() -> None:
    plan = plan_of(pool("a", "jobs:f", 3), pool("b", "jobs:f", 3, engine="stdlib"))
    assert (
        describe(plan).partition("\n\n")[2]
        == """\
wave  step  kind  engine  tasks  call                      needs
1     a     pool          3      Pool(2).map(f, range(3))
1     b     pool  stdlib  3      Pool(2).map(f, range(3))
"""
    )


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        (Limits(), ""),
        (Limits(timeout=0.0001), "timeout 1ms"),
        (Limits(timeout=3661.5), "timeout 1h1m1s500ms"),
        (Limits(max_memory=3 << 29), "max memory 1536M"),
        (Limits(max_memory=(1 << 20) + 1), "max memory 1,048,577 bytes"),
        (Limits(retries=Retries(2, 1.0)), "2 retries after 1s"),
        (Limits(retries=Retries(2, 1.0, "exponential")), "2 retries after 1s and more"),
        (Limits(continue_on_error=True), "continues on error"),
    ],
)
def test_limits_in_words(limits: Limits, text: str) -> None:
    assert limits_text(limits) == text


def test_nothing_that_moves_a_cursor_is_printed() -> None:
    evil = "\x1b[2J\u202eabc"
    shown = describe(plan_of(process("p", "jobs:f", evil), name=evil, description=evil, env={evil: evil}))
    assert not {c for c in shown if not c.isprintable()} - {"\n"}
    assert r"\x1b[2J\u202eabc" in shown


def test_only_names_of_the_environment_are_shown() -> None:
    assert "hunter2" not in describe(plan_of(process("p", "jobs:f"), env={"PASSWORD": "hunter2"}))


def fan_out(name: str, cells: Source, cell: CellForm, *args: Any, **kwargs: Any) -> Step:
    return replace(process(name, "jobs:f", *args, **kwargs), cells=cells, cell=cell)


GRID = MatrixSource((("x", ListSource((1, 2, 3))), ("y", RangeSource(0, 3, 1))))
CALLS: list[tuple[Step, str]] = [
    (process("a", "jobs:f", parse("${results.b.0}")), 'Process(target=f, args=(results["b"][0],))'),
    (
        process("a", "jobs:f", k=parse('${run.id}: {"x"}')),
        'Process(target=f, kwargs={"k": f"{run[\'id\']}: {{\\"x\\"}}"})',
    ),
    (
        fan_out("a", ListSource(("n", "s")), "item", Reference("item")),
        'Process(target=f, args=(item,)) for item in ["n", "s"]',
    ),
    (
        fan_out("a", ZipSource(GRID.axes[:1]), "kwargs"),
        'Process(target=f, kwargs=cell) for cell in side_by_side({"x": [1, 2, 3]})',
    ),
    (
        fan_out("a", ListSource((1,)), "matrix", Reference("matrix", ("x",))),
        'Process(target=f, args=(matrix["x"],)) for matrix in [1]',
    ),
    (
        fan_out("a", ListSource(("n/s",)), "item", parse("${item.stem}"), parse("${item.x}-${item.parent.name}")),
        'Process(target=f, args=(item.stem, f"{item[\'x\']}-{item.parent.name}")) for item in ["n/s"]',
    ),
    (process("a", "jobs:f", parse("${results.name.0.stem}")), 'Process(target=f, args=(results["name"][0].stem,))'),
    (pool("p", "jobs:f", GRID, call="matrix"), "Pool(2).matrix(f, x=[1, 2, 3], y=range(3))"),
    (
        pool("p", "jobs:f", replace(GRID, include=({"x": 9},), exclude=({"y": 0},)), call="matrix", kwargs={"k": "v"}),
        'Pool(2).matrix(partial(f, k="v"), x=[1, 2, 3], y=range(3), include=[{"x": 9}], exclude=[{"y": 0}])',
    ),
    (pool("p", "jobs:f", ZipSource(GRID.axes), call="zip"), "Pool(2).zip(f, x=[1, 2, 3], y=range(3))"),
    (pool("p", "jobs:f", [1], kwargs={"a": parse("${results.b}")}), 'Pool(2).map(partial(f, a=results["b"]), [1])'),
    (
        replace(process("a", "jobs:f"), command=("ls", parse("-${params.t}"))),
        "ls -${params.t}",
    ),
]


@pytest.mark.parametrize(("step", "text"), CALLS, ids=[text for _, text in CALLS])
def test_what_is_to_come_is_written_as_names(step: Step, text: str) -> None:
    assert call_text(step, "/flows") == text


SIZES: list[tuple[Source, str]] = [
    (GRID, "3 × 3 = 9"),
    (replace(GRID, exclude=({"x": 1, "y": 0},)), "3 × 3 − 1 = 8"),
    (replace(GRID, include=({"x": 9, "y": 9}, {"x": 1, "z": 1})), "3 × 3 + 1 = 10"),
    (replace(GRID, include=({"x": 9},), exclude=({"y": [0, 1]},)), "3 × 3 − 6 + 1 = 4"),
    (MatrixSource(GRID.axes[:1]), "3"),
    (MatrixSource((), ({"x": 1}, {"x": 2})), "2"),
    (MatrixSource((("x", RangeSource(0, 1000, 1)), ("y", RangeSource(0, 1000, 1)))), "1,000 × 1,000 = 1,000,000"),
    (ZipSource(GRID.axes), "3"),
    (LinesSource("/x"), "?"),
]


@pytest.mark.parametrize(("source", "text"), SIZES, ids=[text for _, text in SIZES])
def test_a_size_says_how_it_comes_about(source: Source, text: str) -> None:
    assert size_text(source) == text


def test_columns_of_what_only_some_steps_have() -> None:
    plan = plan_of(
        fan_out("fetch", ListSource(("n", "s")), "item"),
        replace(process("clean", "jobs:f"), needs={"fetch": "failed"}, save="/flows/out.json"),
        env={"A": "1"},
    )
    around = replace(plan.surroundings, env={"A": "2", "B": "3"}, working_dir="/flows/sub")
    plan = replace(plan, steps=(plan.steps[0], replace(plan.steps[1], surroundings=around)))
    assert (
        describe(plan).partition("\n\n")[2]
        == """\
wave  step   kind     tasks  call                                      around        writes    needs
1     fetch  process  2      Process(target=f) for item in ["n", "s"]
2     clean  process  1      Process(target=f)                         in sub, A, B  out.json  fetch (failed)
"""
    )
