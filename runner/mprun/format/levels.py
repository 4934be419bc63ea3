"""The sections of a workflow file: the keys of each, what they take, and what other tools call them."""

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
    """A section of a workflow file. `model` has a field for each of its keys.

    `name` completes "is not a key of …"; `where` says where the section stands.
    """

    def __init__(self, name: str, where: str, model: type[BaseModel]) -> None:
        self.name = name
        self.where = where
        self.model = model
        self.fields: Mapping[str, FieldInfo] = {
            field.alias or name: field for name, field in model.model_fields.items()
        }
        self.keys = tuple(self.fields)

    def takes(self, key: str) -> str:
        return takes_of(self.fields[key])

    @cached_property
    def also(self) -> Mapping[str, str]:
        """Maps the names that other tools have for the keys to the keys."""
        return {word: key for key, field in self.fields.items() for word in key_of(field).also}

    @cached_property
    def also_with_a_number(self) -> Mapping[str, str]:
        """As `also`, for a key that is followed by a number."""
        words = {word: key for key, field in self.fields.items() for word in key_of(field).also_with_a_number}
        return {**self.also, **words}


WORKFLOW = Level("a workflow", "at the top of the file", Workflow)
PROCESS = Level("a process", "below a name in `processes`, `on_success`, `on_failure` or `on_exit`", ProcessEntry)
POOL = Level("a pool", "below a name in `pools`", PoolEntry)
APPLY = Level("`apply`", "in a pool", ApplyCall)
ITEMS = Level(
    "a source of items",
    "in `map`, `starmap`, `imap` and `imap_unordered` of a pool, and in `foreach` of a process",
    ItemsFrom,
)
MATRIX = Level("a `matrix`", "in a process or a pool", MatrixEntry)
AXIS = Level("an axis", "below a name in `matrix` and `zip`", NumbersFrom)
RETRIES = Level("`retries`", "in a step and in `defaults`", RetriesEntry)
DEFAULTS = Level("`defaults`", "in a workflow", DefaultsEntry)
PARAM = Level("a parameter", "below a name in `params`", ParamEntry)
INCLUDE = Level("`include`", "in a workflow", IncludeEntry)
LOG = Level("`log`", "in a workflow", LogEntry)

LEVELS = (WORKFLOW, PROCESS, POOL, ITEMS, MATRIX, AXIS, APPLY, RETRIES, DEFAULTS, PARAM, INCLUDE, LOG)
STEP_GROUPS = {"processes": PROCESS, "pools": POOL, **dict.fromkeys(HOOKS, PROCESS)}
