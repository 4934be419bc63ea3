"""Which section of a workflow file stands where."""

from __future__ import annotations

from mprun.errors.places import Path
from mprun.format.levels import (
    APPLY,
    AXIS,
    DEFAULTS,
    INCLUDE,
    ITEMS,
    LOG,
    PARAM,
    POOL,
    PROCESS,
    RETRIES,
    STEP_GROUPS,
    WORKFLOW,
    Level,
)
from mprun.plan.plan import POOL_CALLS


def level_at(path: Path) -> Level | None:
    """Return the section whose keys stand directly below `path`; None if these are names or values of the user's."""
    match path:
        case ():
            return WORKFLOW
        case (group, *below) if below and group in STEP_GROUPS:
            return _in_step(STEP_GROUPS[str(group)], tuple(below[1:]))
        case ("log",):
            return LOG
        case ("include",) | ("include", int()):
            return INCLUDE
        case ("defaults",):
            return DEFAULTS
        case ("defaults", "retries"):
            return RETRIES
        case ("params", _):
            return PARAM
    return None


def _in_step(step: Level, below: Path) -> Level | None:
    """Return the section at `below` within an entry of the section `step`."""
    match below:
        case ():
            return step
        case ("retries",):
            return RETRIES
        case ("apply",) if step is POOL:
            return APPLY
        case ("matrix" | "zip", axis) if axis not in ("include", "exclude"):
            return AXIS
        case ("foreach",) if step is PROCESS:
            return ITEMS
        case (call,) if step is POOL and call in POOL_CALLS and call not in ("matrix", "zip"):
            return ITEMS
    return None  # names and values of the user's, such as the axes of a `matrix`
