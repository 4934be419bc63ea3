"""Conditions at run time, and the steps around a run: which are run, which are skipped, and what the exit code says."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from plan_builders import process

from engine.harness import HERE, Ran, read_log, run, wait_for, zoo_plan
from engine.test_stopping import Running, end_session, events_so_far
from mprun.errors.exceptions import ExitCode
from mprun.language.expressions import read_expression
from mprun.language.references import parse
from mprun.plan.plan import If, Limits, ProcessStep, When
from mprun.sources.table import ListSource

pytestmark = pytest.mark.usefixtures("warm")

LONG = 60.0  # seconds; nothing here may wait that long


def step(name: str, target: str = "square", *args: Any, when: When = "", if_: str = "", **options: Any) -> ProcessStep:
    needs = options.pop("needs", {})
    made = process(name, f"zoo:{target}", *(args or ((3,) if target == "square" else ())), folder=HERE)
    condition = If(if_, read_expression(if_)) if if_ else None
    return replace(made, when=when, condition=condition, needs=needs, **options)


def run_steps(tmp_path: Path, *steps: ProcessStep, **options: Any) -> Ran:
    return run(zoo_plan(*steps, start_method="fork", **options), tmp_path)


def ends(ran: Ran) -> dict[str, str]:
    """How each step ended: its outcome, or why it was skipped."""
    finished = {event["step"]: event["outcome"] for event in ran.named("step.finished")}
    return finished | {event["step"]: event["reason"] for event in ran.named("step.skipped")}


# -- conditions


def test_what_needs_a_failure(tmp_path: Path) -> None:
    """It is run after a failure, and skipped after a success; `finished` is met by both, and by what was skipped."""
    ran = run_steps(
        tmp_path,
        step("good"),
        step("bad", "raises"),
        step("after_good", needs={"good": "failed"}),
        step("after_bad", needs={"bad": "failed"}),
        step("after_both", needs={"good": "finished", "bad": "finished"}),
        step("after_skipped", needs={"after_good": "finished"}),
        step("never", needs={"after_good": "succeeded"}),
    )
    assert ends(ran) == {
        "good": "succeeded",
        "bad": "failed",
        "after_good": "it needs `good` to fail, which succeeded",
        "after_bad": "succeeded",
        "after_both": "succeeded",
        "after_skipped": "succeeded",
        "never": "it needs `after_good`, which was skipped",
    }
    assert ran.end.exit_code is ExitCode.FAILED


def test_a_step_skipped_by_its_condition_is_no_failure(tmp_path: Path) -> None:
    """What needs it is skipped as well, and the run has succeeded."""
    ran = run_steps(
        tmp_path,
        step("no", if_="1 > 2"),
        step("yes", if_="'a' in ['a']"),
        step("next", needs={"no": "succeeded"}),
        step("last", needs={"no": "finished", "yes": "succeeded"}),
    )
    assert ends(ran) == {
        "no": "its `if` is false: 1 > 2",
        "yes": "succeeded",
        "next": "it needs `no`, which was skipped",
        "last": "succeeded",
    }
    assert ran.end.exit_code is ExitCode.SUCCEEDED


def test_a_condition_is_decided_when_the_needs_are_met(tmp_path: Path) -> None:
    """What needs a step that failed is skipped for that, whatever its `if` says."""
    ran = run_steps(tmp_path, step("bad", "raises"), step("next", if_="1 > 2", needs={"bad": "succeeded"}))
    assert ends(ran)["next"] == "it needs `bad`, which failed"


def test_everything_skipped(tmp_path: Path) -> None:
    ran = run_steps(tmp_path, step("no", if_="false"), step("on_exit", when="exit", if_="false"))
    assert (ran.children, ran.end.exit_code) == ([], ExitCode.SUCCEEDED)


# -- around a run


AROUND = (
    step("well", when="success"),
    step("badly", when="failure"),
    step("anyway", "huge", 1, when="exit"),
)


@pytest.mark.parametrize(
    ("work", "ends_of_hooks", "code"),
    [
        (step("work"), ["succeeded", "the run succeeded", "succeeded"], ExitCode.SUCCEEDED),
        (step("work", "raises"), ["the run failed", "succeeded", "succeeded"], ExitCode.FAILED),
        (
            step("work", "raises", limits=Limits(continue_on_error=True)),
            ["succeeded", "the run succeeded", "succeeded"],
            ExitCode.SUCCEEDED,
        ),
    ],
    ids=["succeeds", "fails", "may fail"],
)
def test_which_are_run(tmp_path: Path, work: ProcessStep, ends_of_hooks: list[str], code: ExitCode) -> None:
    """After all others; each declared in the head, and told of as any other step."""
    ran = run_steps(tmp_path, *AROUND, work)
    found = ends(ran)
    assert [found[name] for name in ("well", "badly", "anyway")] == ends_of_hooks
    assert [declared.get("when") for declared in ran.events[0]["steps"]] == ["success", "failure", "exit", None]
    began = [event["step"] for event in ran.named("step.started")]
    assert (began[0], began[-1]) == ("work", "anyway")
    assert ran.end.exit_code is code


def test_what_they_are_told(tmp_path: Path) -> None:
    """The outcome so far: that of the run, and for what runs last that of the steps before it too."""
    outcome = parse("${run.outcome}")
    ran = run_steps(
        tmp_path,
        step("work"),
        step("well", "add", parse("it ${run.outcome}"), "", when="success"),
        step("worse", "end", "raise", when="success"),
        step("last", "add", outcome, "", when="exit"),
        step("only_if", if_="${run.outcome} == 'failed'", when="exit"),
        step("cells", "add", outcome, parse("-${item}"), when="exit", cells=ListSource(("a", "b")), cell="item"),
    )
    assert ran.values("well") == ["it succeeded"]
    assert ran.values("last") == ["failed"]
    assert ran.values("cells") == ["failed-a", "failed-b"]
    assert ends(ran)["only_if"] == "succeeded"
    assert ran.end.exit_code is ExitCode.FAILED  # the failure of a step around the run is one of the run's


def test_their_needs(tmp_path: Path) -> None:
    """They may need one another, and steps of the run, however these have ended."""
    ran = run_steps(
        tmp_path,
        step("good"),
        step("bad", "raises"),
        step("first", when="failure"),
        step("second", when="failure", needs={"first": "succeeded", "bad": "failed"}),
        step("not_for_good", when="failure", needs={"good": "failed"}),
        step("last", when="exit", needs={"second": "succeeded", "not_for_good": "finished"}),
    )
    began = [event["step"] for event in ran.named("step.started")]
    assert began[2:] == ["first", "second", "last"]
    assert ends(ran)["not_for_good"] == "it needs `good` to fail, which succeeded"


def test_daemons_are_stopped_before_them(tmp_path: Path) -> None:
    daemon = replace(step("daemon", "nap", LONG), daemon=True)
    ran = run_steps(tmp_path, daemon, step("work"), step("last", when="exit"))
    names = [(event["event"], event.get("step")) for event in ran.events]
    assert names.index(("step.finished", "daemon")) < names.index(("step.started", "last"))
    assert ran.end.exit_code is ExitCode.SUCCEEDED


def test_they_are_run_after_the_runs_timeout_and_the_first_failure(tmp_path: Path) -> None:
    ran = run_steps(tmp_path, step("work", "nap", LONG), step("last", when="exit"), timeout=0.2, grace_period=0.2)
    assert (ends(ran)["work"], ends(ran)["last"]) == ("cancelled", "succeeded")
    ran = run_steps(
        tmp_path,
        step("bad", "raises"),
        step("first", "raises", when="failure"),
        step("second", when="failure"),
        fail_fast=True,
    )
    assert (ends(ran)["first"], ends(ran)["second"]) == ("failed", "succeeded")


# -- signals


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def start_it(*steps: ProcessStep, **options: Any) -> Running:
        started.append(Running(zoo_plan(*steps, start_method="fork", **options), tmp_path))
        return started[-1]

    yield start_it
    for running in started:
        end_session(running.program.pid)
        running.program.communicate()


def at_work(running: Running, name: str) -> bool:
    events = events_so_far(running.log)
    return any(event["event"] == "process.started" and event["step"] == name for event in events)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_they_are_run_after_one_signal(start: Callable[..., Running], number: int, code: int) -> None:
    """What is at work is stopped, then they end the run in good order."""
    running = start(
        step("work", "nap", LONG),
        step("badly", "add", parse("${run.outcome}"), "", when="failure"),
        step("last", "nap", 0.0, when="exit"),
        grace_period=0.1,
    )
    wait_for(lambda: at_work(running, "work"))
    running.signal(number)
    assert running.end() == (code, "")
    ran = Ran(None, read_log(running.log))  # type: ignore[arg-type]
    assert ends(ran) == {"work": "cancelled", "badly": "succeeded", "last": "succeeded"}
    assert ran.values("badly") == ["interrupted"]


def test_none_is_run_after_two_signals(start: Callable[..., Running]) -> None:
    running = start(step("work", "nap", LONG), step("last", when="exit"), grace_period=LONG)
    wait_for(lambda: at_work(running, "work"))
    running.signal(signal.SIGINT)
    wait_for(lambda: any(event["event"] == "stop.requested" for event in events_so_far(running.log)))
    running.signal(signal.SIGINT)
    assert running.end() == (130, "")
    ran = Ran(None, read_log(running.log))  # type: ignore[arg-type]
    assert ends(ran)["last"] == "a second SIGINT asked for an end at once"


def test_a_signal_while_they_are_at_work(start: Callable[..., Running]) -> None:
    """The first lets them go on, the second ends them, and those still to come are skipped."""
    running = start(
        step("work"),
        step("slow", "nap", LONG, when="success"),
        step("next", when="success", needs={"slow": "finished"}),
        step("last", when="exit"),
        grace_period=0.1,
    )
    wait_for(lambda: at_work(running, "slow"))
    running.signal(signal.SIGTERM)
    wait_for(lambda: any(event["event"] == "signal.received" for event in events_so_far(running.log)))
    assert not any(event["event"] == "stop.requested" for event in events_so_far(running.log))
    running.signal(signal.SIGTERM)
    assert running.end() == (143, "")
    ran = Ran(None, read_log(running.log))  # type: ignore[arg-type]
    assert ends(ran) == {
        "work": "succeeded",
        "slow": "cancelled",
        "next": "SIGTERM",
        "last": "a second SIGTERM asked for an end at once",
    }
