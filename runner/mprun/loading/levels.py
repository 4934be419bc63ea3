"""The levels of a workflow file: which keys each takes, and what it is called in messages."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from mprun.models.workflow import ApplyCall, ItemsFrom, LogEntry, PoolEntry, ProcessEntry, RetriesEntry, Workflow
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
        case ("processes" | "pools", _, "retries"):
            return RETRIES
        case ("pools", _, "apply"):
            return APPLY
        case ("pools", _, call) if call in POOL_CALLS:
            return ITEMS
    return None
