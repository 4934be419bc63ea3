"""The levels of a workflow file: which keys each takes, and what it is called in messages."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from mprun.models.items import ApplyCall, ItemsFrom, NumbersFrom
from mprun.models.params import ParamEntry
from mprun.models.steps import DefaultsEntry, PoolEntry, ProcessEntry, RetriesEntry
from mprun.models.workflow import IncludeEntry, LogEntry, Workflow
from mprun.places import Path
from mprun.plan import POOL_CALLS


@dataclass(frozen=True, slots=True)
class Level:
    """`name` as in "is not a key of a pool"."""

    name: str
    keys: tuple[str, ...]


def _level(name: str, model: type[BaseModel]) -> Level:
    return Level(name, tuple(model.model_fields))


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

STEP_GROUPS = {"processes": PROCESS, "pools": POOL}


def level_at(path: Path) -> Level | None:
    """The level whose keys stand directly below `path`; None where they are names or values of the user's own."""
    match path:
        case ():
            return WORKFLOW
        case ("processes" | "pools" as group, _):
            return STEP_GROUPS[str(group)]
        case ("log",):
            return LOG
        case ("include",) | ("include", int()):
            return INCLUDE
        case ("defaults",):
            return DEFAULTS
        case ("defaults", "retries"):
            return RETRIES
        case ("processes" | "pools", _, "retries"):
            return RETRIES
        case ("pools", _, "apply"):
            return APPLY
        case ("params", _):
            return PARAM
        case ("processes" | "pools", _, "matrix" | "zip"):
            return None  # the axes have names of the user's own
        case ("processes" | "pools", _, "matrix" | "zip", axis) if axis not in ("include", "exclude"):
            return AXIS
        case ("pools", _, call) if call in POOL_CALLS:
            return ITEMS
        case ("processes", _, "foreach"):
            return ITEMS
    return None
