"""A workflow as it was written: strict, frozen models, one for each level of the file.

Values keep the words of the file (`cpus - 1` stays text); only shapes that have a short form are made one (`needs: a`
becomes `["a"]`). What a model can't see (names, cycles, files, exactly one call) is in `mprun.loading.rules`.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, field_validator, model_validator
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from mprun.models.values import (
    RETRIED_OUTCOMES,
    Count,
    Duration,
    EnvName,
    EnvValue,
    Memory,
    NumberFrom0,
    ParameterName,
    PoolSize,
    RangeArguments,
    SomeTexts,
    StepName,
    Text,
    Texts,
    Time,
    read_retries,
)
from mprun.plan import POOL_CALLS, Backoff, LogTasks, PoolCall, PoolEngine, StartMethod

_ONE_CALL: dict[str, Any] = {"oneOf": [{"required": [call]} for call in POOL_CALLS]}
_ONE_SOURCE: dict[str, Any] = {"minProperties": 1, "maxProperties": 1}
_NO_OTHER_NAMES: dict[str, Any] = {"additionalProperties": False}
_SOME_STEP: dict[str, Any] = {
    "anyOf": [{"required": [group], "properties": {group: {"minProperties": 1}}} for group in ("processes", "pools")],
    "patternProperties": {"^x-": {}},
}


class Written(BaseModel):
    """The base of every level: unknown keys are refused, types are exact, and a key without a value is a mistake."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_nothing(cls, value: Any) -> Any:
        if value is None:
            raise PydanticCustomError("nothing", "")
        return value


class ItemsFrom(Written):
    """Where the items of a pool come from, if not from a list; exactly one key."""

    model_config = ConfigDict(json_schema_extra=_ONE_SOURCE)

    range: RangeArguments = Field(default=[], description="Whole numbers: what Python's range() takes, one to three.")
    glob: Text = Field(default="", description="The paths that match a pattern, sorted; ** goes through all folders.")
    lines: Text = Field(default="", description="The lines of a UTF-8 text file.")


def _shape(value: Any) -> str | None:
    if isinstance(value, ItemsFrom | dict):
        return "a mapping"
    return "a list" if isinstance(value, list) else None


# A tagged union: a plain one would try, and complain about, both shapes. The items of a list are never walked.
Items = Annotated[
    Annotated[list[Any], Tag("a list")] | Annotated[ItemsFrom, Tag("a mapping")],
    Discriminator(_shape, custom_error_type="wrong_type", custom_error_message=""),
]


class ApplyCall(Written):
    """What `apply` calls the target with."""

    args: list[Any] = Field(default=[], description="Positional arguments of the target.")
    kwargs: dict[ParameterName, Any] = Field(default={}, description="Keyword arguments of the target.")


class RetriesEntry(Written):
    """When a call that failed is made again; a bare number is the count."""

    count: NumberFrom0 = Field(description="How many more attempts there may be after the first.")
    delay: Duration = Field(default=0.0, description="Time between the end of an attempt and the next one.")
    backoff: Backoff = Field(default="fixed", description="Whether the delay stays as it is, or doubles each time.")
    max_delay: Time = Field(default=60.0, description="The longest delay that doubling leads to.")
    jitter: bool = Field(default=False, description="Wait a random part of the delay, so that not all come at once.")
    on: SomeTexts = Field(
        default=list(RETRIED_OUTCOMES),
        description="After what: raised, lost, timed_out, a builtin exception's name, module:Class or file.py:Class.",
    )
    not_on: SomeTexts = Field(default=[], description="Exception classes after which there is no further attempt.")


Retries = Annotated[RetriesEntry, BeforeValidator(read_retries, json_schema_input_type=NumberFrom0 | RetriesEntry)]


class LogEntry(Written):
    """What is written into the event log, and what is left out."""

    tasks: LogTasks = Field(
        default="all", description="Whether every task of a pool has a line, or only those that fail."
    )


class StepEntry(Written):
    """What processes and pools have in common: what they call, what they wait for, and their limits."""

    target: str = Field(description="What to call: module:function, module:Class.method or path/to/file.py:function.")
    needs: Texts = Field(default=[], description="The steps that must have succeeded before this one starts.")
    timeout: Time = Field(
        default=0.0, description="The longest one attempt at one call may take: seconds, or text such as 1m30s."
    )
    step_timeout: Time = Field(default=0.0, description="The longest the whole step may take, with all its attempts.")
    slow_after: Time = Field(
        default=0.0, description="A call that takes longer is reported while it runs, with what it is doing."
    )
    retries: Retries | SkipJsonSchema[None] = Field(
        default=None, description="How many more attempts a call that failed is given, and when."
    )
    continue_on_error: bool = Field(
        default=False, description="A failure is shown, but what needs the step goes on, and the exit code stays 0."
    )
    max_memory: Memory = Field(
        default=0,
        description="The most memory a child may hold: bytes, or text such as 512M or 2G. "
        "K, M, G and T (also KB or KiB, and so on) are powers of 1024.",
    )


class ProcessEntry(StepEntry):
    """One multiprocessing.Process."""

    args: list[Any] = Field(default=[], description="Positional arguments of the target.")
    kwargs: dict[ParameterName, Any] = Field(default={}, description="Keyword arguments of the target.")
    daemon: bool = Field(default=False, description="Not waited for; stopped after the last ordinary step.")


class PoolEntry(StepEntry):
    """One multiprocessing.Pool and one call of it: exactly one of apply, map, starmap, imap, imap_unordered."""

    model_config = ConfigDict(json_schema_extra=_ONE_CALL)

    apply: ApplyCall | SkipJsonSchema[None] = Field(default=None, description="One call, with these arguments.")
    map: Items | SkipJsonSchema[None] = Field(default=None, description="One call an item; results in input order.")
    starmap: Items | SkipJsonSchema[None] = Field(
        default=None, description="Like map, but each item is the list of a call's arguments."
    )
    imap: Items | SkipJsonSchema[None] = Field(
        default=None, description="Like map, with items read as they are needed."
    )
    imap_unordered: Items | SkipJsonSchema[None] = Field(
        default=None, description="Like imap, with results in order of completion."
    )
    processes: PoolSize = Field(default="cpus", description="How many workers: a number, cpus, or cpus - N.")
    chunksize: Count = Field(default=0, description="How many items a worker is given at once.")
    initializer: str = Field(default="", description="Called once in each worker before its first task.")
    initargs: list[Any] = Field(default=[], description="Positional arguments of the initializer.")
    maxtasksperchild: Count = Field(default=0, description="A worker is replaced after so many tasks.")
    engine: PoolEngine | SkipJsonSchema[None] = Field(
        default=None, description="What runs the pool, in place of the workflow's engine."
    )

    @property
    def call(self) -> PoolCall:
        """The one call that was written. Raises StopIteration for an entry without any, which `load` never gives."""
        return next(call for call in POOL_CALLS if getattr(self, call) is not None)


class Workflow(Written):
    """A whole workflow file."""

    model_config = ConfigDict(json_schema_extra=_SOME_STEP)

    name: Text = Field(default="", description="What the run is called; the file's name unless given.")
    description: str = Field(default="", description="What the workflow is for.")
    start_method: StartMethod | SkipJsonSchema[None] = Field(
        default=None, description="How multiprocessing starts children: fork, spawn or forkserver."
    )
    engine: PoolEngine = Field(
        default="local",
        description="What runs the pools: local (mprun's own workers) or stdlib (literally multiprocessing.Pool).",
    )
    env: dict[EnvName, EnvValue] = Field(
        default={}, description="Environment variables of the children.", json_schema_extra=_NO_OTHER_NAMES
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
        default={}, description="Steps that are one process each, by name.", json_schema_extra=_NO_OTHER_NAMES
    )
    pools: dict[StepName, PoolEntry] = Field(
        default={}, description="Steps that are a pool of workers each, by name.", json_schema_extra=_NO_OTHER_NAMES
    )

    @model_validator(mode="before")
    @classmethod
    def _without_extensions(cls, data: Any) -> Any:
        """Keys that start with `x-` hold anchors and notes of the author's."""
        if not isinstance(data, dict):
            return data
        return {key: value for key, value in data.items() if not is_extension(key)}


def is_extension(key: Any) -> bool:
    return isinstance(key, str) and key.startswith("x-")
