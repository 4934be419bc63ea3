"""All calls in one process: the same results, outcomes and events as in children, and nothing of it left behind."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from plan_builders import pool, process

from engine.harness import HERE, Ran, no_noise, read_log, zoo_plan
from mprun.errors.exceptions import ExitCode
from mprun.language.references import Reference, parse
from mprun.language.targets import parse_target
from mprun.log.writer import open_log
from mprun.plan.plan import Limits, ProcessStep, Retries, Step
from mprun.running.run import run_plan
from mprun.sources.table import LinesSource, ListSource, ResultsSource

ITEM = Reference("item")


def run_inline(tmp_path: Path, *steps: Step, **options: Any) -> Ran:
    """The run, and that this process is as it was before."""
    path = tmp_path / "events.jsonl"
    before = dict(os.environ), os.getcwd(), list(sys.path), signal.getsignal(signal.SIGINT)
    plan = zoo_plan(*steps, start_method="spawn", **options)
    with no_noise():
        end = run_plan(plan, "by-hand", open_log(str(path)), [], print, folder=str(tmp_path), inline=True)
    assert (dict(os.environ), os.getcwd(), list(sys.path), signal.getsignal(signal.SIGINT)) == before
    ran = Ran(end, read_log(path))
    path.unlink()
    assert set(ran.children) <= {os.getpid()}
    return ran


def zoo(target: str, *args: Any, name: str = "zoo", **options: Any) -> ProcessStep:
    return process(name, f"zoo:{target}", *args, folder=HERE, **options)


def zoo_pool(target: str, source: Any = 0, **options: Any) -> Step:
    return pool("zoo", f"zoo:{target}", source, folder=HERE, **options)


def program(*command: str) -> Step:
    return replace(process("zoo", "mprun.worker.command:run_command", folder=HERE), command=command)


@pytest.mark.parametrize(
    ("step", "values"),
    [
        (zoo("add", 1, 2), [3]),
        (replace(zoo("add", ITEM, 1), cells=ListSource((10, 20)), cell="item"), [11, 21]),
        (replace(zoo("keywords"), cells=ListSource(({"one": 3, "other": 1},)), cell="kwargs"), [2]),
        (zoo_pool("square", 5), [0, 1, 4, 9, 16]),
        (zoo_pool("square", 5, engine="stdlib"), [0, 1, 4, 9, 16]),
        (zoo_pool("add", [[1, 2], [3, 4]], call="starmap"), [3, 7]),
        (zoo_pool("keywords", call="apply", args=(5,), kwargs={"other": 3}), [2]),
        (zoo_pool("keywords", [{"one": 5, "other": 1}], call="matrix"), [4]),
        (zoo_pool("square", [], call="imap"), []),
        (replace(zoo_pool("square", ["a b"]), command=("echo", parse("<${item}>"))), ["<a b>"]),
        (program("echo", "1"), ["1"]),
        (zoo("pid"), [os.getpid()]),
    ],
)
def test_the_same_results(tmp_path: Path, step: Step, values: list[Any]) -> None:
    ran = run_inline(tmp_path, step)
    assert ran.values() == values
    assert ran.end.exit_code is ExitCode.SUCCEEDED


def test_results_flow(tmp_path: Path) -> None:
    """From a pool into a pool that streams them, and into an argument, and a skipped one as nothing."""
    first = replace(zoo_pool("square", 4), name="first", keeps=True)
    streaming = replace(
        zoo_pool("square", ResultsSource("first"), call="imap"), streams=True, needs={"first": "succeeded"}
    )
    last = replace(zoo("add", [], Reference("results", ("first",)), name="last"), needs={"first": "succeeded"})
    ran = run_inline(tmp_path, first, streaming, last)
    assert ran.values() == [0, 1, 16, 81]
    assert ran.values("last") == [[0, 1, 4, 9]]


def test_its_surroundings(tmp_path: Path) -> None:
    ran = run_inline(tmp_path, program("sh", "-c", "pwd; echo $WHO"), env={"WHO": "me"})
    assert ran.values() == [f"{HERE}\nme"]


@pytest.mark.parametrize(
    ("how", "outcome"),
    [("raise", "raised"), ("ok", "returned"), ("exit 0", "returned"), ("exit 3", "raised")],
)
def test_outcomes(tmp_path: Path, how: str, outcome: str) -> None:
    """Those that a call has by itself; the others go on, and what is told of it is what a child would tell."""
    how = {"exit 0": "sys.exit 0", "exit 3": "sys.exit 3"}.get(how, how)
    step = replace(zoo("ends_as", ITEM), cells=ListSource((how, "ok")), cell="item")
    ran = run_inline(tmp_path, step)
    assert ran.outcomes() == [outcome, "returned"]
    assert ran.end.exit_code is (ExitCode.SUCCEEDED if outcome == "returned" else ExitCode.FAILED)


def test_what_cannot_be_pickled_is_told_here_too(tmp_path: Path) -> None:
    assert run_inline(tmp_path, zoo_pool("unpicklable", [1])).outcomes() == ["unpicklable"]


def test_retries_are_made(tmp_path: Path) -> None:
    retries = Limits(retries=Retries(count=2, delay=0.01))
    step = replace(
        zoo_pool("fails_at_first", [[str(tmp_path), 2, "raise", n] for n in range(2)], call="starmap"), limits=retries
    )
    ran = run_inline(tmp_path, step)
    assert ran.values() == [0, 1]
    assert [result["attempt"] for result in ran.results()] == [3, 3]
    assert len(ran.named("task.retried")) == 4


def test_only_failures_are_logged_where_that_is_said(tmp_path: Path) -> None:
    ran = run_inline(tmp_path, zoo_pool("ends_as", ["ok", "raise", "ok", "ok"]), log_tasks="failures")
    assert [(result["task"], result["outcome"]) for result in ran.results()] == [(1, "raised")]
    assert sum(event["returned"] for event in ran.named("tasks.counted")) == 3


def test_an_initializer_that_fails(tmp_path: Path) -> None:
    step = zoo_pool("square", 3, initializer=parse_target("zoo:raises", HERE))
    ran = run_inline(tmp_path, step)
    assert ran.outcomes() == ["cancelled"] * 3
    assert "could not be set up" in ran.one("step.finished")["error"]


def test_items_that_cannot_be_read(tmp_path: Path) -> None:
    ran = run_inline(tmp_path, zoo_pool("square", LinesSource(str(tmp_path / "none")), call="imap"))
    assert "its items could not be read" in ran.one("step.finished")["error"]


def test_a_signal_amid_a_call(tmp_path: Path) -> None:
    """It is a KeyboardInterrupt in the user's code, and then ends the run; nothing is made again."""
    limits = Limits(retries=Retries(count=5))
    step = replace(zoo_pool("interrupts_itself", ["x"] * 4), limits=limits)
    ran = run_inline(tmp_path, step, replace(zoo("square", 2, name="last"), when="exit"))
    assert ran.outcomes() == ["raised", "cancelled", "cancelled", "cancelled"]
    assert ran.results()[0]["exception.type"] == "KeyboardInterrupt"
    assert (ran.end.exit_code, ran.values("last")) == (ExitCode.INTERRUPTED, [4])


def test_fail_fast_and_conditions_are_as_ever(tmp_path: Path) -> None:
    ran = run_inline(tmp_path, zoo_pool("ends_as", ["raise", "ok"]), fail_fast=True)
    assert ran.outcomes() == ["raised", "cancelled"]
