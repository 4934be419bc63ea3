"""What a run in one process can't do: rejected if the run would be pointless, reported if it only ignores a limit."""

from __future__ import annotations

from mprun.errors.exceptions import UsageError
from mprun.plan.features import ESSENTIAL, SPREADING, beyond
from mprun.plan.plan import Plan, ProcessStep

# One process doesn't spread work, makes every call, and can't bound a call from outside.
_KNOWN = ESSENTIAL | SPREADING | {"step_timeout", "retries", "continue_on_error", "reuse", "inputs", "outputs"}


def refuse_inline(plan: Plan) -> None:
    """Raise UsageError for a plan that would never end in one process."""
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
    """Return the keys of `plan` that don't apply in one process, by step; an empty text if there are none."""
    found = {step.name: beyond(step, _KNOWN) for step in plan.steps}
    return "; ".join(f"{', '.join(f'`{key}`' for key in keys)} of `{name}`" for name, keys in found.items() if keys)
