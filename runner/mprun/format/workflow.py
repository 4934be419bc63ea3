"""A workflow as it was written: strict, frozen models, one for each level of the file.

Values keep the words of the file (`cpus - 1` stays text); only shapes that have a short form are made one (`needs: a`
becomes `["a"]`). What a model can't see (names, cycles, files, exactly one call) is in `mprun.loading.rules.common`.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from mprun.engines.table import POOL_ENGINES, USUAL_ENGINE, PoolEngine
from mprun.format.base import NO_OTHER_NAMES, Written
from mprun.format.params import ParamEntry
from mprun.format.shared import SharedThing
from mprun.format.steps import DefaultsEntry, PoolEntry, ProcessEntry
from mprun.format.values import (
    Count,
    Duration,
    EnvName,
    EnvValue,
    ParamName,
    StepName,
    Text,
    Texts,
    Time,
    read_include,
    read_param,
)
from mprun.plan.child_spec import LogTasks
from mprun.plan.plan import HOOKS, StartMethod

_SOME_STEP: dict[str, Any] = {
    "anyOf": [{"required": [group], "properties": {group: {"minProperties": 1}}} for group in ("processes", "pools")]
    + [{"required": ["include"], "properties": {"include": {"minItems": 1}}}],
    "patternProperties": {"^x-": {}},
}

_ENGINES = " or ".join(f"{name} ({traits.described})" for name, traits in POOL_ENGINES.items())


class LogEntry(Written):
    """What is written into the event log, and what is left out."""

    tasks: LogTasks = Field(
        default="all", description="Whether every task of a pool has a line, or only those that fail."
    )


Param = Annotated[
    ParamEntry, BeforeValidator(read_param, json_schema_input_type=int | float | bool | str | list[Any] | ParamEntry)
]


class IncludeEntry(Written):
    """Another workflow file, whose steps join those of this one."""

    file: Text = Field(description="The file's path, from this one's folder.")
    params: dict[ParamName, Any] = Field(default={}, description="The values of its parameters, by name.")


_INCLUDED = Text | IncludeEntry
Include = Annotated[
    list[IncludeEntry], BeforeValidator(read_include, json_schema_input_type=_INCLUDED | list[_INCLUDED])
]


class Workflow(Written):
    """A whole workflow file."""

    model_config = ConfigDict(json_schema_extra=_SOME_STEP)

    name: Text = Field(default="", description="What the run is called; the file's name unless given.")
    description: str = Field(default="", description="What the workflow is for.")
    params: dict[ParamName, Param] = Field(
        default={},
        description="What can be given to a run, by name: ${params.name}. A plain value is a default.",
        json_schema_extra=NO_OTHER_NAMES,
    )
    shared: dict[ParamName, SharedThing] = Field(
        default={},
        description="What children share, by multiprocessing's names; given to them as ${shared.name}.",
        json_schema_extra=NO_OTHER_NAMES,
    )
    include: Include = Field(default=[], description="Other workflow files, whose steps join those of this one.")
    targets: dict[ParamName, Text] = Field(
        default={},
        description="Short names of targets, which may stand wherever a target is named.",
        json_schema_extra=NO_OTHER_NAMES,
    )
    only_targets: bool = Field(
        default=False, description="Call nothing but what `targets` names, whatever name it is called by."
    )
    defaults: DefaultsEntry = Field(
        default=DefaultsEntry(), description="What each step has that says nothing else, as far as its kind has it."
    )
    start_method: StartMethod | SkipJsonSchema[None] = Field(
        default=None, description="How multiprocessing starts children: fork, spawn or forkserver."
    )
    engine: PoolEngine = Field(default=USUAL_ENGINE, description=f"What runs the pools: {_ENGINES}.")
    env: dict[EnvName, EnvValue] = Field(
        default={}, description="Environment variables of the children.", json_schema_extra=NO_OTHER_NAMES
    )
    working_dir: Text = Field(default="", description="The folder the children run in; the file's folder unless given.")
    pythonpath: Texts = Field(default=[], description="Further folders in which targets' modules are looked for.")
    grace_period: Duration = Field(
        default=10.0, description="Time between asking a child to stop and killing it: seconds, or text such as 1m30s."
    )
    timeout: Time = Field(default=0.0, description="The longest the whole run may take: seconds, or text such as 2h.")
    max_parallel: Count = Field(
        default=0, description="How many children may be at work at once, over the whole run; unbounded unless given."
    )
    fail_fast: bool = Field(default=False, description="Stop the run at the first failure.")
    log: LogEntry = Field(default=LogEntry(), description="What the log holds.")
    processes: dict[StepName, ProcessEntry] = Field(
        default={}, description="Steps that are one process each, by name.", json_schema_extra=NO_OTHER_NAMES
    )
    pools: dict[StepName, PoolEntry] = Field(
        default={}, description="Steps that are a pool of workers each, by name.", json_schema_extra=NO_OTHER_NAMES
    )

    on_success: dict[StepName, ProcessEntry] = Field(
        default={}, description="Processes to run at the end, if all went well.", json_schema_extra=NO_OTHER_NAMES
    )
    on_failure: dict[StepName, ProcessEntry] = Field(
        default={}, description="Processes to run at the end, if something failed.", json_schema_extra=NO_OTHER_NAMES
    )
    on_exit: dict[StepName, ProcessEntry] = Field(
        default={}, description="Processes to run last, however the run went.", json_schema_extra=NO_OTHER_NAMES
    )

    @property
    def steps(self) -> list[tuple[str, str, ProcessEntry | PoolEntry]]:
        """(group, name, entry) of every step."""
        groups = ("processes", "pools", *HOOKS)
        return [(group, name, entry) for group in groups for name, entry in getattr(self, group).items()]

    @model_validator(mode="before")
    @classmethod
    def _without_extensions(cls, data: Any) -> Any:
        """Keys that start with `x-` hold anchors and notes of the author's."""
        if not isinstance(data, dict):
            return data
        return {key: value for key, value in data.items() if not is_extension(key)}


def is_extension(key: Any) -> bool:
    return isinstance(key, str) and key.startswith("x-")
