"""Decides whether a step may start, by the outcomes of its needs and by its `if`. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from mprun.language.expressions import Name, value_of
from mprun.language.references import Reference, follow
from mprun.plan.plan import Condition, If

StepOutcome = Literal["succeeded", "failed", "cancelled", "skipped"]

ENDED: dict[StepOutcome, str] = {
    "succeeded": "succeeded",
    "failed": "failed",
    "cancelled": "was cancelled",
    "skipped": "was skipped",
}


def is_met(condition: Condition, outcome: StepOutcome, *, may_fail: bool) -> bool:
    """Return whether a need that ended as `outcome` meets `condition`.

    With `may_fail`, a failure of the need does not count as a failure.
    """
    if condition == "finished":
        return True
    succeeded = outcome == "succeeded" or (outcome == "failed" and may_fail)
    return succeeded if condition == "succeeded" else outcome == "failed" and not may_fail


def unmet_reason(condition: Condition, need: str, outcome: StepOutcome) -> str:
    """Return why a step is skipped whose need `need` ended as `outcome`."""
    if condition == "failed":
        return f"it needs `{need}` to fail, which {ENDED[outcome]}"
    return f"it needs `{need}`, which {ENDED[outcome]}"


def holds(condition: If, scopes: Mapping[str, Any]) -> bool:
    """Return whether `condition` is true. `scopes` has the value of each scope that its references name.

    Raises LookupError for a reference that leads nowhere.
    """

    def lookup(name: Name | Reference) -> Any:
        assert isinstance(name, Reference)  # the loader rejects other names
        return follow(scopes[name.scope], name.path)

    return bool(value_of(condition.expression, lookup))
