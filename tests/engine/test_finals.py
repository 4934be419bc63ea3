"""Finalizers: what each worker has gathered is there at the end, or the step says what is missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from plan_builders import pool, process

from engine.harness import HERE, Ran, run, zoo_plan
from engine.test_inline import run_inline
from engine.test_sharing import RunShared, run_shared, shared, step, things, warm_heap  # noqa: F401 -- fixtures
from mprun.errors.exceptions import ExitCode
from mprun.language.references import Reference, finals_of
from mprun.language.targets import parse_target
from mprun.plan.child_spec import Retries
from mprun.plan.plan import Limits, PoolStep, StartMethod, Step
from mprun.sources.table import ResultsSource

RunSteps = Callable[..., Ran]
FINALS = finals_of("zoo")


@pytest.fixture
def run_steps(start_method: StartMethod, tmp_path: Path, warm: None) -> RunSteps:
    def run_it(*steps: Step, **options: Any) -> Ran:
        return run(zoo_plan(*steps, start_method=start_method, **options), tmp_path)

    return run_it


def gathering(finalizer: str = "give", target: str = "gather", source: Any = 4, **options: Any) -> PoolStep:
    end = parse_target(f"finals_zoo:{finalizer}", HERE)
    return pool("zoo", f"finals_zoo:{target}", source, folder=HERE, finalizer=end, keeps_finals=True, **options)


def consumer(target: str = "flows:same", reference: Reference = Reference("results", (FINALS,))) -> Step:  # noqa: B008
    return process("taker", target, reference, needs=("zoo",), folder=HERE)


def finals(ran: Ran) -> list[list[int]]:
    """What the taker was given."""
    (given,) = ran.values("taker")
    return given  # type: ignore[no-any-return]


def outcomes(ran: Ran) -> list[str]:
    return [event["outcome"] for event in ran.named("worker.finalized")]


def error(ran: Ran) -> str:
    return str(next(event for event in ran.named("step.finished") if event["step"] == "zoo").get("error", ""))


# -- what they give


def test_what_each_worker_has_gathered(run_steps: RunSteps, engine: Any, tmp_path: Path) -> None:
    """Each task is in the finals of the worker that did it; they stand in the order of the workers' numbers."""
    items = [(number, str(tmp_path)) for number in range(2)]
    ran = run_steps(gathering("give", "gather_beside", items, call="starmap", chunksize=1, engine=engine), consumer())
    by_worker = {event["worker"]: event["result"] for event in ran.named("worker.finalized")}
    assert finals(ran) == [by_worker[number] for number in sorted(by_worker)]
    assert sorted(number for final in finals(ran) for number in final) == [0, 1]
    assert [len(final) for final in finals(ran)] == [1, 1]


@pytest.mark.parametrize("log_tasks", ["all", "failures"])
@pytest.mark.parametrize("keeps", [False, True])
def test_nothing_is_gathered_twice_or_lost(run_steps: RunSteps, log_tasks: Any, keeps: bool) -> None:
    ran = run_steps(gathering(source=3000, keeps=keeps), consumer(), log_tasks=log_tasks)
    assert sorted(number for final in finals(ran) for number in final) == list(range(3000))


def test_workers_that_are_replaced(run_steps: RunSteps, engine: Any) -> None:
    """Each calls its finalizer before the next one takes its place."""
    ran = run_steps(gathering(maxtasksperchild=1, chunksize=1, processes=1, engine=engine), consumer())
    assert [final for final in finals(ran) if final] == [[0], [1], [2], [3]]


def test_a_worker_without_a_task(run_steps: RunSteps) -> None:
    """A Pool starts all its workers: one that has begun and done nothing ends in the same way."""
    begin = parse_target("finals_zoo:begin", HERE)
    step = gathering("give_begun", source=1, processes=2, initializer=begin, initargs=("here",), engine="stdlib")
    assert finals(run_steps(step, consumer())) == [["here"], ["here"]]


def test_no_task_at_all(run_steps: RunSteps, engine: Any) -> None:
    ran = run_steps(gathering(source=0, engine=engine), consumer())
    assert finals(ran) == [[] for _ in ran.named("worker.started")]


def test_finals_as_items(run_steps: RunSteps, engine: Any) -> None:
    """Each is one; they never come while the workers are at work."""
    step = replace(gathering(source=50, processes=1, engine=engine), keeps=True)
    items = pool("taker", "flows:same", ResultsSource(FINALS), call="imap", needs=("zoo",), folder=HERE)
    assert run_steps(step, items).values("taker") == [list(range(50))]


def test_a_large_value(run_steps: RunSteps, engine: Any) -> None:
    """It goes through a file of its own."""
    ran = run_steps(gathering("give_large", processes=1, engine=engine), consumer())
    assert ran.end.exit_code is ExitCode.SUCCEEDED
    assert outcomes(ran) == ["returned"]


def test_only_who_takes_it_loads_it(run_steps: RunSteps, engine: Any) -> None:
    ran = run_steps(gathering("give_what_kills_who_loads_it", processes=1, engine=engine), consumer())
    assert (error(ran), ran.outcomes("taker")) == ("", ["lost"])


def test_what_nobody_refers_to_is_not_kept(run_steps: RunSteps, engine: Any) -> None:
    step = replace(gathering("give_what_kills_who_loads_it", engine=engine), keeps_finals=False)
    assert set(outcomes(run_steps(step))) == {"returned"}


def test_output(run_steps: RunSteps, engine: Any) -> None:
    """What a finalizer prints is no task's."""
    ran = run_steps(gathering("print_and_give", processes=1, engine=engine))
    printed = ran.one("output")
    assert (printed["text"], printed["worker"], "task" in printed) == ("at the end", 1, False)


def test_one_that_exits_without_a_code_has_returned(run_steps: RunSteps, engine: Any) -> None:
    assert finals(run_steps(gathering("exit_0", processes=1, engine=engine), consumer())) == [None]


# -- what can go wrong

BAD = {
    "raise_error": ("raised", "raised ValueError: no luck"),
    "exit_3": ("raised", "raised SystemExit: 3"),
    "give_unpicklable": ("unpicklable", "can't be pickled"),
    "leave": ("lost", "exited with code 0"),
    "kill": ("lost", "was killed by SIGKILL"),
    "crash": ("lost", "was killed by SIGSEGV"),
}


@pytest.mark.parametrize("how", BAD)
def test_one_that_fails(run_steps: RunSteps, engine: Any, how: str) -> None:
    """All tasks have returned, and yet the step has failed: its finals are not all there."""
    ran = run_steps(gathering(how, processes=1, engine=engine), consumer())
    outcome, why = BAD[how]
    assert (ran.outcomes(), outcomes(ran)) == (["returned"] * 4, [outcome])
    assert f"its finalizer `finals_zoo:{how}`" in error(ran)
    assert why in error(ran)
    assert ran.one("step.skipped")["reason"] == "it needs `zoo`, which failed"


def test_one_that_fails_among_others(run_steps: RunSteps, engine: Any) -> None:
    """Who needs no more than its end is given the rest."""
    ran = run_steps(
        gathering("give_or_raise", maxtasksperchild=2, chunksize=1, processes=1, engine=engine),
        replace(consumer(), needs={"zoo": "finished"}),
    )
    assert "raised ValueError" in error(ran)
    assert [final for final in finals(ran) if final] == [[2, 3]]


@pytest.mark.parametrize("how", ["hang", "hang_deaf", "hang_then_exit"])
def test_one_that_does_not_end(run_steps: RunSteps, engine: Any, how: str) -> None:
    """It has the grace period, and a second at the least."""
    ran = run_steps(gathering(how, processes=1, engine=engine), grace_period=0.1)
    assert (ran.outcomes(), outcomes(ran)) == (["returned"] * 4, ["timed_out"])
    assert "it took longer than the grace_period of 1 s" in error(ran)


def test_one_that_holds_up_its_successor(run_steps: RunSteps, engine: Any) -> None:
    step = gathering("hang", source=2, processes=1, maxtasksperchild=1, chunksize=1, engine=engine)
    ran = run_steps(step, grace_period=0.1)
    assert ran.outcomes() == ["returned"] * 2
    assert set(outcomes(ran)) == {"timed_out"}


def test_a_longer_timeout_is_given_to_the_finalizer_too(run_steps: RunSteps) -> None:
    step = replace(gathering("hang", source=1), limits=Limits(timeout=1.5))
    ran = run_steps(step, grace_period=0.1)
    assert "it took longer than its timeout of 1.5 s" in error(ran)


@pytest.mark.parametrize(("fatal", "fails"), [(0, False), (2, True)])
def test_a_worker_that_dies_at_work(run_steps: RunSteps, tmp_path: Path, fatal: int, fails: bool) -> None:
    """Its task is made again; what it had gathered of other tasks is gone, and the step says so."""
    items = [(number, fatal, str(tmp_path / "flag")) for number in range(4)]
    step = gathering("give", "gather_or_die", items, call="starmap", processes=1)
    ran = run_steps(replace(step, limits=Limits(retries=Retries(1))), consumer())
    assert (ran.outcomes(), outcomes(ran)) == (["returned"] * 4, ["lost", "returned"])
    if fails:
        told = f"worker 1 has ended after {fatal} tasks before its finalizer `finals_zoo:give` was called"
        assert error(ran).startswith(told)
    else:
        assert list(map(sorted, finals(ran))) == [[0, 1, 2, 3]]


def test_a_worker_that_is_ended_for_its_task(run_steps: RunSteps) -> None:
    step = gathering("give", "gather_then_hang", source=2, processes=1)
    ran = run_steps(replace(step, limits=Limits(timeout=0.3)), grace_period=0.1)
    assert (ran.outcomes(), outcomes(ran)) == (["returned", "timed_out"], ["lost"])
    assert "timeout of 0.3 s" in error(ran)


def test_a_pool_that_is_stopped(run_steps: RunSteps, engine: Any) -> None:
    """What is not to go on calls no finalizer."""
    step = gathering("give", "gather_then_hang", source=4, processes=1, chunksize=1, engine=engine)
    ran = run_steps(replace(step, limits=Limits(step_timeout=0.5)), grace_period=0.1)
    assert outcomes(ran) == ["cancelled"]
    assert "step_timeout" in ran.one("worker.finalized")["cancelled_by"]
    assert "step_timeout" in error(ran)


def test_workers_that_cannot_be_set_up_have_none(run_steps: RunSteps, engine: Any) -> None:
    begin = parse_target("finals_zoo:raise_error", HERE)
    ran = run_steps(gathering(initializer=begin, engine=engine))
    assert not {"returned"} & set(outcomes(ran))
    assert "a worker could not be set up" in error(ran)


# -- beside what is shared


def with_shared(finalizer: str, target: str, thing: str, source: Any, **options: Any) -> PoolStep:
    begin = parse_target("finals_zoo:take_over", HERE)
    return gathering(finalizer, target, source, initializer=begin, initargs=(shared(thing),), **options)


@pytest.mark.parametrize("maxtasksperchild", [0, 1])
def test_a_queue_that_a_finalizer_fills(run_shared: RunShared, engine: Any, maxtasksperchild: int) -> None:  # noqa: F811
    """It hasn't ended while one is still to be called."""
    options = {"engine": engine, "processes": 1, "maxtasksperchild": maxtasksperchild, "chunksize": 1}
    filling = with_shared("put_late", "gather", "rows", 1, **options)
    ran = run_shared(things(rows=["Queue"]), filling, step("sum", "add_up", shared("rows")))
    assert ran.values("sum")[0] % 10 == 0
    assert ran.values("sum")[0] > 0


def test_a_finalizer_that_is_never_reached_helps_nobody(run_shared: RunShared, engine: Any) -> None:  # noqa: F811
    """It would be called when the other worker's task had ended, which waits for what nobody else can do."""
    waiting = with_shared("give", "wait_for_nobody", "go", 2, chunksize=1, engine=engine)
    ran = run_shared(things(go=["Event"]), waiting)
    assert ran.one("shared.abandoned")["steps"] == ["zoo"]
    assert "`go` is set, which nobody is left to set" in error(ran)


# -- in one process


def test_inline(tmp_path: Path) -> None:
    items = pool("taker", "flows:same", ResultsSource(FINALS), needs=("zoo",), folder=HERE)
    ran = run_inline(tmp_path, gathering("give_large"), items)
    assert (ran.outcomes(), outcomes(ran)) == (["returned"] * 4, ["returned"])
    assert ran.outcomes("taker") == ["returned"]


@pytest.mark.parametrize("how", ["raise_error", "exit_3", "give_unpicklable"])
def test_inline_one_that_fails(tmp_path: Path, how: str) -> None:
    ran = run_inline(tmp_path, gathering(how))
    assert outcomes(ran) == [BAD[how][0]]
    assert BAD[how][1] in error(ran)


def test_inline_that_cannot_be_set_up(tmp_path: Path) -> None:
    ran = run_inline(tmp_path, gathering(initializer=parse_target("finals_zoo:raise_error", HERE)))
    assert outcomes(ran) == []
    assert "a worker could not be set up" in error(ran)
