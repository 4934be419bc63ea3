"""Processes and pools, as they are written."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from mprun.engines.table import PoolEngine
from mprun.format.base import NO_OTHER_NAMES, Written
from mprun.format.items import ApplyCall, Axis, Items, MatrixEntry
from mprun.format.values import (
    RETRIED_OUTCOMES,
    Command,
    Count,
    Duration,
    EnvName,
    EnvValue,
    Memory,
    Needs,
    NumberFrom0,
    ParameterName,
    PoolSize,
    SomeTexts,
    Text,
    TextToCome,
    Time,
    WrittenIf,
    read_retries,
)
from mprun.plan.child_spec import Backoff, PoolCall
from mprun.plan.plan import FAN_OUTS, POOL_CALLS

_TARGET_OR_COMMAND: dict[str, Any] = {"oneOf": [{"required": ["target"]}, {"required": ["command"]}]}
_ONE_FAN_OUT: dict[str, Any] = {
    "allOf": [_TARGET_OR_COMMAND],
    "not": {"anyOf": [{"required": [a, b]} for a in FAN_OUTS for b in FAN_OUTS if a < b]},
}
_ONE_CALL: dict[str, Any] = {
    "allOf": [_TARGET_OR_COMMAND],
    "oneOf": [{"required": [call]} for call in POOL_CALLS],
}


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


class LimitsEntry(Written):
    """What bounds a step and its calls, and what becomes of a failure."""

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


class SizesEntry(Written):
    """How a pool is made: its size, and what it hands out."""

    processes: PoolSize = Field(default="cpus", description="How many workers: a number, cpus, or cpus - N.")
    chunksize: Count = Field(default=0, description="How many items a worker is given at once.")
    maxtasksperchild: Count = Field(default=0, description="A worker is replaced after so many tasks.")
    engine: PoolEngine | SkipJsonSchema[None] = Field(
        default=None, description="What runs the pool, in place of the workflow's engine."
    )


class DefaultsEntry(LimitsEntry, SizesEntry):
    """What each step has that says nothing else; a key of the step's own replaces the default as a whole."""


class StepEntry(LimitsEntry):
    """What processes and pools have in common: what they call, what they wait for, and their limits."""

    target: str = Field(
        default="", description="What to call: module:function, module:Class.method or path/to/file.py:function."
    )
    command: Command = Field(
        default=[], description="A program to run in place of a target: its name and arguments, without a shell."
    )
    needs: Needs = Field(
        default={},
        description="The steps that must have succeeded before this one starts, or how they must have ended.",
    )
    if_: WrittenIf = Field(
        default=None, alias="if", description="The step is skipped unless this holds, such as ${params.n} > 3."
    )
    env: dict[EnvName, EnvValue] = Field(
        default={},
        description="Environment variables of its children, on top of the workflow's.",
        json_schema_extra=NO_OTHER_NAMES,
    )
    working_dir: Text = Field(default="", description="The folder its children run in; the workflow's unless given.")
    keys: TextToCome = Field(
        default="", description="What labels a task: the name of a field of its item, or a text with ${item}."
    )
    save: TextToCome = Field(
        default="", description="A file for the results: .json, .jsonl, .csv or .pickle, written whole or not at all."
    )


class ProcessEntry(StepEntry):
    """One multiprocessing.Process; with foreach, matrix or zip, one for each of their items."""

    model_config = ConfigDict(json_schema_extra=_ONE_FAN_OUT)

    args: list[Any] = Field(default=[], description="Positional arguments of the target.")
    kwargs: dict[ParameterName, Any] = Field(default={}, description="Keyword arguments of the target.")
    daemon: bool = Field(default=False, description="Not waited for; stopped after the last ordinary step.")
    foreach: Items | SkipJsonSchema[None] = Field(
        default=None, description="One Process an item, which ${item} stands for."
    )
    matrix: MatrixEntry | SkipJsonSchema[None] = Field(
        default=None, description="One Process for each combination of the axes' values."
    )
    zip: dict[ParameterName, Axis] | SkipJsonSchema[None] = Field(
        default=None, description="One Process for the first values of all lists, one for the second, and so on."
    )
    max_parallel: Count = Field(
        default=0, description="How many of a fan-out's Processes are at work at once; the CPUs unless given."
    )

    @property
    def fan_out(self) -> str:
        """`foreach`, `matrix` or `zip`, where there is one; else an empty text."""
        return next((key for key in FAN_OUTS if getattr(self, key) is not None), "")


class PoolEntry(StepEntry, SizesEntry):
    """One multiprocessing.Pool and one call of it, of apply, map, starmap, imap, imap_unordered, matrix and zip."""

    model_config = ConfigDict(json_schema_extra=_ONE_CALL)

    apply: ApplyCall | SkipJsonSchema[None] = Field(default=None, description="One call, with these arguments.")
    map: Items | SkipJsonSchema[None] = Field(default=None, description="One call an item; results in input order.")
    starmap: Items | SkipJsonSchema[None] = Field(
        default=None, description="Like map, but each item is the list of a call's arguments, or a mapping of them."
    )
    imap: Items | SkipJsonSchema[None] = Field(
        default=None, description="Like map, with items read as they are needed."
    )
    imap_unordered: Items | SkipJsonSchema[None] = Field(
        default=None, description="Like imap, with results in order of completion."
    )
    matrix: MatrixEntry | SkipJsonSchema[None] = Field(
        default=None, description="One call for each combination of the axes' values, given as keyword arguments."
    )
    zip: dict[ParameterName, Axis] | SkipJsonSchema[None] = Field(
        default=None, description="One call for the first values of all lists, one for the second, and so on."
    )
    kwargs: dict[ParameterName, Any] = Field(
        default={}, description="Keyword arguments of the target, the same for each call."
    )
    initializer: str = Field(default="", description="Called once in each worker before its first task.")
    initargs: list[Any] = Field(default=[], description="Positional arguments of the initializer.")
    finalizer: str = Field(
        default="",
        description="Called once in each worker after its last task; ${results.step.finals} has what they return.",
    )

    @property
    def call(self) -> PoolCall:
        """The one call that was written. Raises StopIteration for an entry without any, which `load` never gives."""
        return next(call for call in POOL_CALLS if getattr(self, call) is not None)
