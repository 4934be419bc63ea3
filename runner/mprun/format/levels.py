"""The levels of a workflow file: which keys each has, what they take, and what other tools call them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from mprun.format.items import ApplyCall, ItemsFrom, MatrixEntry, NumbersFrom
from mprun.format.keys import key_of, takes_of
from mprun.format.params import ParamEntry
from mprun.format.steps import DefaultsEntry, PoolEntry, ProcessEntry, RetriesEntry
from mprun.format.workflow import IncludeEntry, LogEntry, Workflow
from mprun.plan.plan import HOOKS


class Level:
    """`name` as in "is not a key of a pool"; `model` has a field for each key."""

    def __init__(self, name: str, model: type[BaseModel]) -> None:
        self.name = name
        self.model = model
        self.fields: Mapping[str, FieldInfo] = {
            field.alias or name: field for name, field in model.model_fields.items()
        }
        self.keys = tuple(self.fields)

    def takes(self, key: str) -> str:
        return takes_of(self.fields[key])

    @cached_property
    def also(self) -> Mapping[str, str]:
        """The keys by what other tools call them."""
        return {word: key for key, field in self.fields.items() for word in key_of(field).also}

    @cached_property
    def also_with_a_number(self) -> Mapping[str, str]:
        """`also`, where a number follows."""
        words = {word: key for key, field in self.fields.items() for word in key_of(field).also_with_a_number}
        return {**self.also, **words}


WORKFLOW = Level("a workflow", Workflow)
PROCESS = Level("a process", ProcessEntry)
POOL = Level("a pool", PoolEntry)
APPLY = Level("`apply`", ApplyCall)
ITEMS = Level("a source of items", ItemsFrom)
MATRIX = Level("a `matrix`", MatrixEntry)
AXIS = Level("an axis", NumbersFrom)
RETRIES = Level("`retries`", RetriesEntry)
DEFAULTS = Level("`defaults`", DefaultsEntry)
PARAM = Level("a parameter", ParamEntry)
INCLUDE = Level("`include`", IncludeEntry)
LOG = Level("`log`", LogEntry)

LEVELS = (WORKFLOW, PROCESS, POOL, ITEMS, MATRIX, AXIS, APPLY, RETRIES, DEFAULTS, PARAM, INCLUDE, LOG)
STEP_GROUPS = {"processes": PROCESS, "pools": POOL, **dict.fromkeys(HOOKS, PROCESS)}
