"""What a run in one process can't do: refused where nothing would come of it, told where a limit is not kept."""

from __future__ import annotations

from collections.abc import Iterator

from mprun.errors.exceptions import UsageError
from mprun.plan.plan import Plan, ProcessStep, Step


def refuse_inline(plan: Plan) -> None:
    """Raises UsageError for a plan that would never come to its end."""
    for step in plan.steps:
        if isinstance(step, ProcessStep) and step.daemon:
            raise UsageError(f"`--inline`: the daemon `{step.name}` would let no other step begin")
    if plan.shared:
        names = ", ".join(f"`{thing.name}`" for thing in plan.shared)
        raise UsageError(
            f"`--inline`: one process would wait for itself where children share something ({names}); "
            "`--only STEP` runs a step that shares nothing"
        )


def ignored_inline(plan: Plan) -> str:
    """The limits of `plan` that bound a call from outside, by step; an empty text where there are none."""
    return "; ".join(f"{', '.join(limits)} of `{step.name}`" for step in plan.steps if (limits := [*_limits(step)]))


def _limits(step: Step) -> Iterator[str]:
    for name in ("timeout", "slow_after", "max_memory"):
        if getattr(step.limits, name):
            yield f"`{name}`"
