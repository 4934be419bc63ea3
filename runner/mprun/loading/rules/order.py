"""Rules about the order in which steps end: the steps around a run, and steps that wait for a failure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

from mprun.loading.mistakes import Mistake, found, short
from mprun.loading.rules.common import Data, StepData, needs_of, steps
from mprun.loading.suggestions import did_you_mean, suggest
from mprun.plan.plan import CONDITIONS, HOOKS

_OTHER_WORDS = {
    **dict.fromkeys(("failure", "error", "raised", "on_failure"), "failed"),
    **dict.fromkeys(("success", "ok", "completed_successfully", "on_success"), "succeeded"),
    **dict.fromkeys(("always", "any", "completed", "done", "ended", "complete"), "finished"),
}
_STAGES = {"on_success": 1, "on_failure": 1, "on_exit": 2}  # the order of groups; all others run before


def never_before(data: Data) -> Iterator[Mistake]:
    """No step needs a step that runs after it, or that runs only if it doesn't."""
    groups = {step.name: str(step.path[0]) for step in steps(data)}
    for step in steps(data):
        mine = groups[step.name]
        for need, path in needs_of(step):
            why = _why_never(mine, groups.get(need, mine))
            if why:
                message = f"`{short(step.name)}` can't need `{short(need)}`, a step of `{groups[need]}`: {why}"
                yield Mistake("needs-later", message, path)


def _why_never(mine: str, its: str) -> str:
    if mine != its and _STAGES.get(mine, 0) == _STAGES.get(its, 0) == 1:
        return "only one of the two is ever run"
    return "that is run later" if _STAGES.get(its, 0) > _STAGES.get(mine, 0) else ""


def waited_for(data: Data) -> Iterator[Mistake]:
    """The steps around a run end, so none of them is a daemon."""
    for group in HOOKS:
        for step in steps({group: data.get(group)}):
            if step.entry.get("daemon") is True:
                message = f"the run waits for each step of `{group}`: none can be a daemon"
                yield Mistake("daemon", message, (*step.path, "daemon"), "key")


def forgiven_failures(data: Data) -> Iterator[Mistake]:
    """No step waits for the failure of a step whose failure counts as a success."""
    forgiven = {step.name for step in steps(data) if step.entry.get("continue_on_error") is True}
    for step in steps(data):
        for need in _failures_needed(step):
            if need in forgiven:
                message = f"`{short(need)}` has `continue_on_error`: its failure counts as a success, not as `failed`"
                advice = "`finished` is met by any end"
                yield Mistake("no-effect", message, (*step.path, "needs", need), advice=advice)


def known_conditions(data: Data) -> Iterator[Mistake]:
    """The long form of `needs` says how a step must have ended, in one of three words."""
    for step in steps(data):
        needs = step.entry.get("needs")
        for need, condition in needs.items() if isinstance(needs, dict) else ():
            if condition not in CONDITIONS:
                path = (*step.path, "needs", need)
                message = (
                    f"`{short(need)}` in `needs` takes `succeeded`, `finished` or `failed`, not {found(condition)}"
                )
                code = "bad-value" if isinstance(condition, str) else "wrong-type"
                at: Literal["key", "value"] = "key" if condition is None else "value"
                yield Mistake(code, message, path, at, advice=did_you_mean(_meant(condition)))


def _meant(condition: Any) -> str:
    word = str(condition).lower()
    return _OTHER_WORDS.get(word) or suggest(word, CONDITIONS)


def _failures_needed(step: StepData) -> list[str]:
    needs = step.entry.get("needs")
    return [need for need, condition in needs.items() if condition == "failed"] if isinstance(needs, dict) else []


ORDER_RULES: tuple[Callable[[Data], Iterator[Mistake]], ...] = (
    never_before,
    waited_for,
    known_conditions,
    forgiven_failures,
)
