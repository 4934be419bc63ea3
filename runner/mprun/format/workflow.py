"""A workflow as it was written: strict, frozen models, one for each section of the file.

Values stay as written (`cpus - 1` stays text), but short forms become long ones (`needs: a` becomes `{"a":
"succeeded"}`). The rules in `mprun.loading.rules` check what a model can't: names, cycles, files, exactly one call.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, model_validator
from pydantic.json_schema import SkipJsonSchema

from mprun.engines.table import OTHER_ENGINE, POOL_ENGINES, USUAL_ENGINE, PoolEngine
from mprun.format.base import NO_OTHER_NAMES, Written
from mprun.format.keys import Takes, key
from mprun.format.params import ParamEntry
from mprun.format.shared import SharedThing
from mprun.format.steps import DefaultsEntry, PoolEntry, ProcessEntry
from mprun.format.values import (
    ALSO_ENV,
    ALSO_WORKING_DIR,
    Count,
    Duration,
    Env,
    FolderPath,
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


LOG = "a mapping with `tasks`"


class LogEntry(Written):
    """Which events the event log contains."""

    tasks: LogTasks = key(
        "all",
        "Whether every task of a pool has a line, or only those that fail.",
        example="failures",
        also=("level", "lines", "results", "calls"),
    )


Param = Annotated[
    ParamEntry, BeforeValidator(read_param, json_schema_input_type=int | float | bool | str | list[Any] | ParamEntry)
]


class IncludeEntry(Written):
    """Another workflow file, whose steps join those of this one."""

    file: Text = key(
        ...,
        "The file's path, from this one's folder.",
        example="cleanup.yaml",
        takes="the path of a workflow file, as text",
    )
    params: dict[ParamName, Any] = key(
        {},
        "The values of its parameters, by name.",
        example="{days: 7}",
        takes="a mapping of parameter names to values",
    )


_INCLUDED = Text | IncludeEntry
Include = Annotated[
    list[IncludeEntry], BeforeValidator(read_include, json_schema_input_type=_INCLUDED | list[_INCLUDED])
]


Processes = Annotated[dict[StepName, ProcessEntry], Takes("a mapping of step names to processes")]


class Workflow(Written):
    """A whole workflow file."""

    model_config = ConfigDict(json_schema_extra=_SOME_STEP)

    name: Text = key("", "What the run is called; the file's name unless given.", example="thumbnails", also=("title",))
    description: str = key("", "What the workflow is for.", example="Makes small pictures of large ones.")
    params: dict[ParamName, Param] = key(
        {},
        "What can be given to a run, by name: ${params.name}. A plain value is a default.",
        json_schema_extra=NO_OTHER_NAMES,
        example="{pages: 10, source: {type: path}}",
        takes="a mapping of names to default values, or to mappings with a `type`",
        also=("parameters", "inputs", "variables", "vars"),
    )
    shared: dict[ParamName, SharedThing] = key(
        {},
        "What children share, by multiprocessing's names; given to them as ${shared.name}.",
        json_schema_extra=NO_OTHER_NAMES,
        example="{lock: Lock, total: {Value: [i, 0]}}",
        takes="a mapping of names to what children share, such as `{lock: Lock}`",
    )
    include: Include = key(
        [],
        "Other workflow files, whose steps join those of this one.",
        example="cleanup.yaml",
        takes="a file's path, a mapping with a `file`, or a list of them",
    )
    targets: dict[ParamName, Text] = key(
        {},
        "Short names of targets, which may stand wherever a target is named.",
        json_schema_extra=NO_OTHER_NAMES,
        example="{resize: 'jobs:resize'}",
        takes="a mapping of short names to targets",
    )
    only_targets: bool = key(
        False, "Call nothing but what `targets` names, whatever name it is called by.", example="true"
    )
    defaults: DefaultsEntry = key(
        DefaultsEntry(),
        "What each step has that says nothing else, as far as its kind has it.",
        example="{retries: 2, timeout: 5m}",
        takes="a mapping of keys of steps to values",
    )
    start_method: StartMethod | SkipJsonSchema[None] = key(
        None,
        "How multiprocessing starts children: fork, spawn or forkserver.",
        example="spawn",
        also=("context", "mp_context", "startmethod", "method"),
    )
    engine: PoolEngine = key(USUAL_ENGINE, f"What runs the pools: {_ENGINES}.", example=OTHER_ENGINE)
    env: Env = key(
        {},
        "Environment variables of the children.",
        json_schema_extra=NO_OTHER_NAMES,
        example="{OMP_NUM_THREADS: 1}",
        also=ALSO_ENV,
    )
    working_dir: FolderPath = key(
        "",
        "The folder the children run in; the file's folder unless given.",
        example="data",
        also=ALSO_WORKING_DIR,
    )
    pythonpath: Texts = key(
        [],
        "Further folders in which targets' modules are looked for.",
        example="[src, vendor]",
        takes="the path of a folder, or a list of them",
        also=("python_path", "path", "sys_path"),
    )
    grace_period: Duration = key(
        10.0,
        "Time between asking a child to stop and killing it: seconds, or text such as 1m30s.",
        example="30s",
        also=("grace", "stop_timeout", "kill_timeout", "stop_grace_period"),
    )
    timeout: Time = key(
        0.0,
        "The longest the whole run may take: seconds, or text such as 2h.",
        example="2h",
        also=("time_limit", "timeout_seconds", "timeout_minutes", "deadline", "run_timeout"),
    )
    max_parallel: Count = key(
        0,
        "How many children may be at work at once, over the whole run; unbounded unless given.",
        example="8",
        also=("concurrency", "parallelism", "max_concurrency", "parallel", "max_jobs"),
        also_with_a_number=("jobs", "n_jobs", "workers", "max_workers", "process"),
    )
    fail_fast: bool = key(
        False,
        "Stop the run at the first failure.",
        example="true",
        also=("failfast", "stop_on_error", "stop_on_failure", "abort_on_error", "halt"),
    )
    log: LogEntry = key(
        LogEntry(),
        "What the log holds.",
        example="{tasks: failures}",
        takes=LOG,
        also=("logging", "events"),
    )
    processes: Processes = key(
        {},
        "Steps that are one process each, by name.",
        json_schema_extra=NO_OTHER_NAMES,
        example="{fetch: {target: 'jobs:fetch'}}",
        also=("jobs", "tasks", "steps", "process", "services", "workers"),
    )
    pools: dict[StepName, PoolEntry] = key(
        {},
        "Steps that are a pool of workers each, by name.",
        json_schema_extra=NO_OTHER_NAMES,
        example="{count: {target: 'jobs:count', map: [1, 2]}}",
        takes="a mapping of step names to pools",
        also=("pool",),
    )

    on_success: Processes = key(
        {},
        "Processes to run at the end, if all went well.",
        json_schema_extra=NO_OTHER_NAMES,
        example="{publish: {target: 'jobs:publish'}}",
        also=("on_done", "onsuccess", "success", "on_complete"),
    )
    on_failure: Processes = key(
        {},
        "Processes to run at the end, if something failed.",
        json_schema_extra=NO_OTHER_NAMES,
        example="{report: {target: 'jobs:report'}}",
        also=("on_error", "on_fail", "on_failed", "onfailure", "failure", "catch"),
    )
    on_exit: Processes = key(
        {},
        "Processes to run last, however the run went.",
        json_schema_extra=NO_OTHER_NAMES,
        example="{clear: {target: 'jobs:clear'}}",
        also=("finally", "always", "on_finish", "on_end", "teardown", "cleanup", "onexit", "after"),
    )

    @property
    def steps(self) -> list[tuple[str, str, ProcessEntry | PoolEntry]]:
        """(group, name, entry) of every step."""
        groups = ("processes", "pools", *HOOKS)
        return [(group, name, entry) for group in groups for name, entry in getattr(self, group).items()]

    @model_validator(mode="before")
    @classmethod
    def _without_extensions(cls, data: Any) -> Any:
        """Remove the keys that start with `x-`: they hold anchors and notes of the author."""
        if not isinstance(data, dict):
            return data
        return {key: value for key, value in data.items() if not is_extension(key)}


def is_extension(key: Any) -> bool:
    return isinstance(key, str) and key.startswith("x-")
