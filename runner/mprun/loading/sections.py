"""The levels of a workflow file: which keys each takes, and what it is called in messages."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from mprun.errors.places import Path
from mprun.format.items import ApplyCall, ItemsFrom, NumbersFrom
from mprun.format.params import ParamEntry
from mprun.format.steps import DefaultsEntry, PoolEntry, ProcessEntry, RetriesEntry
from mprun.format.workflow import IncludeEntry, LogEntry, Workflow
from mprun.plan.plan import HOOKS, POOL_CALLS


@dataclass(frozen=True, slots=True)
class Level:
    """`name` as in "is not a key of a pool"."""

    name: str
    keys: tuple[str, ...]


def _level(name: str, model: type[BaseModel]) -> Level:
    return Level(name, tuple(field.alias or key for key, field in model.model_fields.items()))


WORKFLOW = _level("a workflow", Workflow)
PROCESS = _level("a process", ProcessEntry)
POOL = _level("a pool", PoolEntry)
APPLY = _level("`apply`", ApplyCall)
ITEMS = _level("a source of items", ItemsFrom)
RETRIES = _level("`retries`", RetriesEntry)
LOG = _level("`log`", LogEntry)
INCLUDE = _level("`include`", IncludeEntry)
DEFAULTS = _level("`defaults`", DefaultsEntry)
PARAM = _level("a parameter", ParamEntry)
AXIS = _level("an axis", NumbersFrom)

STEP_GROUPS = {"processes": PROCESS, "pools": POOL, **dict.fromkeys(HOOKS, PROCESS)}


def level_at(path: Path) -> Level | None:
    """The level whose keys stand directly below `path`; None where they are names or values of the user's own."""
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
    """The level at `below` within an entry of the level `step`."""
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
    return None  # names and values of the user's own, such as the axes of a `matrix`
