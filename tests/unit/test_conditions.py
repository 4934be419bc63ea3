"""What may start, and why not: tables of decisions, no process."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from mprun.language.expressions import read_expression
from mprun.plan.plan import Condition, If, When
from mprun.running.conditions import StepOutcome, holds, is_met, unmet_reason
from mprun.running.stages import not_run
from mprun.running.stop import Requests


@pytest.mark.parametrize(
    ("condition", "met_by"),
    [
        ("succeeded", {("succeeded", False), ("succeeded", True), ("failed", True)}),
        ("failed", {("failed", False)}),
        (
            "finished",
            {(outcome, may) for outcome in ("succeeded", "failed", "cancelled", "skipped") for may in (False, True)},
        ),
    ],
)
def test_how_a_need_is_met(condition: Condition, met_by: set[tuple[StepOutcome, bool]]) -> None:
    """The failure of a step that may fail is a success to all who need it."""
    outcomes: tuple[StepOutcome, ...] = ("succeeded", "failed", "cancelled", "skipped")
    found = {(o, may_fail) for o in outcomes for may_fail in (False, True) if is_met(condition, o, may_fail=may_fail)}
    assert found == met_by


@pytest.mark.parametrize(
    ("condition", "outcome", "reason"),
    [
        ("succeeded", "failed", "it needs `a`, which failed"),
        ("succeeded", "cancelled", "it needs `a`, which was cancelled"),
        ("succeeded", "skipped", "it needs `a`, which was skipped"),
        ("failed", "succeeded", "it needs `a` to fail, which succeeded"),
        ("failed", "skipped", "it needs `a` to fail, which was skipped"),
    ],
)
def test_why_a_need_is_not_met(condition: Condition, outcome: StepOutcome, reason: str) -> None:
    assert unmet_reason(condition, "a", outcome) == reason


@pytest.mark.parametrize(
    ("text", "outcome", "expected"),
    [
        ("${run.outcome} == 'failed'", "failed", True),
        ("${run.outcome} == 'failed'", "succeeded", False),
        ("${run.outcome} in ['failed', 'interrupted'] and not 1 > 2", "interrupted", True),
        ("${run.outcome}", "succeeded", True),
        ("''", "succeeded", False),
        ("0 or null", "succeeded", False),
    ],
)
def test_what_a_condition_says(text: str, outcome: str, expected: bool) -> None:
    assert holds(If(text, read_expression(text)), {"run": {"outcome": outcome}}) is expected


def test_a_condition_on_what_is_not_there() -> None:
    with pytest.raises(LookupError, match="it has no `outcome`"):
        holds(If("", read_expression("${run.outcome}")), {"run": {}})


NONE, ONCE, TWICE = Requests(), Requests(signal.SIGINT, 1), Requests(signal.SIGTERM, 2)
AT_ONCE = "a second SIGTERM asked for an end at once"


@pytest.mark.parametrize(
    ("outcome", "requests", "expected"),
    [
        ("succeeded", NONE, {"failure": "the run succeeded"}),
        ("failed", NONE, {"success": "the run failed"}),
        ("interrupted", ONCE, {"success": "the run was interrupted"}),
        ("interrupted", TWICE, {"success": AT_ONCE, "failure": AT_ONCE, "exit": AT_ONCE}),
    ],
)
def test_which_steps_around_a_run_are_run(outcome: str, requests: Requests, expected: dict[Any, str]) -> None:
    """on_success or on_failure, and on_exit; none after a second request to end."""
    stages: tuple[When, ...] = ("success", "failure", "exit")
    reasons = {stage: not_run(stage, outcome, requests) for stage in stages}
    assert {stage: reason for stage, reason in reasons.items() if reason} == expected
