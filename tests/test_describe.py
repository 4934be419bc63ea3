"""The table of `mprun plan`: exact for one plan, bounded and harmless for the others."""

import pytest
from plan_builders import plan_of, pool, process

from mprun.plan import Step
from mprun.planning.describe import CALL_WIDTH, call_text, describe
from mprun.sources import GlobSource, LinesSource


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


def test_a_long_call_is_cut() -> None:
    row = describe(plan_of(process("p", "jobs:f", "x" * 1000))).splitlines()[-1]
    assert row.endswith("xx…")
    assert len(row) < CALL_WIDTH + 40


def test_nothing_that_moves_a_cursor_is_printed() -> None:
    evil = "\x1b[2J\u202eabc"
    shown = describe(plan_of(process("p", "jobs:f", evil), name=evil, description=evil, env={evil: evil}))
    assert not {c for c in shown if not c.isprintable()} - {"\n"}
    assert r"\x1b[2J\u202eabc" in shown


def test_only_names_of_the_environment_are_shown() -> None:
    assert "hunter2" not in describe(plan_of(process("p", "jobs:f"), env={"PASSWORD": "hunter2"}))
