"""What a run in one process can't do: refused where it would be pointless, reported where it ignores a limit."""

from __future__ import annotations

from mprun.errors.exceptions import UsageError
from mprun.plan.features import ESSENTIAL, SPREADING, beyond
from mprun.plan.plan import Plan, ProcessStep

# One process has nothing to spread, makes every call, and can't bound one from outside.
_KNOWN = ESSENTIAL | SPREADING | {"step_timeout", "retries", "continue_on_error", "reuse", "inputs", "outputs"}


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
    """The keys of `plan` that nothing keeps in one process, by step; an empty text where there are none."""
    found = {step.name: beyond(step, _KNOWN) for step in plan.steps}
    return "; ".join(f"{', '.join(f'`{key}`' for key in keys)} of `{name}`" for name, keys in found.items() if keys)
