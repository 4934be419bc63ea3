"""Processes and pools as they are written."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict
from pydantic.json_schema import SkipJsonSchema

from mprun.engines.table import OTHER_ENGINE, PoolEngine
from mprun.format.base import NO_OTHER_NAMES, Written
from mprun.format.items import ALSO_ARGS, ALSO_KWARGS, Apply, Axes, Items, Matrix
from mprun.format.keys import Takes, key
from mprun.format.values import (
    ALSO_ENV,
    ALSO_WORKING_DIR,
    RETRIED_OUTCOMES,
    Command,
    Count,
    Duration,
    Env,
    FolderPath,
    InputFiles,
    Kwargs,
    Memory,
    Needs,
    NumberFrom0,
    OutputFiles,
    PoolSize,
    SomeTexts,
    TargetText,
    TextToCome,
    Time,
    WrittenIf,
    read_retries,
)
from mprun.plan.child_spec import Backoff, PoolCall
from mprun.plan.plan import FAN_OUTS, POOL_CALLS

ALSO_MATRIX = ("strategy", "grid", "product")

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
    """When a failed call is retried. A bare number is the count."""

    count: NumberFrom0 = key(
        ...,
        "How many more attempts there may be after the first.",
        example="3",
        also=("max", "limit", "times", "attempts", "max_attempts", "max_retries", "tries"),
    )
    delay: Duration = key(
        0.0,
        "Time between the end of an attempt and the next one.",
        example="2s",
        also=("wait", "interval", "initial_delay", "initial_interval", "retry_delay", "seconds"),
    )
    backoff: Backoff = key(
        "fixed",
        "Whether the delay stays as it is, or doubles each time.",
        example="exponential",
        also=("backoff_factor", "backoff_rate", "factor", "multiplier", "strategy", "policy"),
    )
    max_delay: Time = key(
        60.0,
        "The longest delay that doubling leads to.",
        example="30s",
        also=("max_backoff", "max_interval", "max_wait", "backoff_max", "maximum_interval"),
    )
    jitter: bool = key(
        False,
        "Wait a random part of the delay, so that not all come at once.",
        example="true",
        also=("random", "randomize", "jitter_factor"),
    )
    on: SomeTexts = key(
        list(RETRIED_OUTCOMES),
        "After what: raised, lost, timed_out, a builtin exception's name, module:Class or file.py:Class.",
        example="[lost, OSError]",
        takes="`raised`, `lost`, `timed_out` or an exception class, or a list of them",
        also=("exceptions", "errors", "retry_on", "when", "only", "only_on"),
    )
    not_on: SomeTexts = key(
        [],
        "Exception classes after which the call is not retried.",
        example="FileNotFoundError",
        takes="an exception class such as `OSError` or `module:Class`, or a list of them",
        also=("ignore", "except", "exclude", "do_not_retry", "non_retryable"),
    )


Retries = Annotated[
    RetriesEntry,
    BeforeValidator(read_retries, json_schema_input_type=NumberFrom0 | RetriesEntry),
    Takes("a whole number from 0, or a mapping with a `count`"),
]


class LimitsEntry(Written):
    """The limits of a step and its calls, and what happens after a failure."""

    timeout: Time = key(
        0.0,
        "The longest one attempt at one call may take: seconds, or text such as 1m30s.",
        example="30s",
        also=("time_limit", "timeout_seconds", "timeout_minutes", "deadline", "max_time", "execution_timeout"),
    )
    step_timeout: Time = key(
        0.0,
        "The longest the whole step may take, with all its attempts.",
        example="1h",
        also=("total_timeout", "pool_timeout"),
    )
    slow_after: Time = key(
        0.0,
        "A call that takes longer is reported while it runs, with what it is doing.",
        example="10s",
        also=("soft_time_limit", "slow_timeout", "slow_threshold", "slow"),
    )
    retries: Retries | SkipJsonSchema[None] = key(
        None,
        "How many more attempts a call that failed is given, and when.",
        example="{count: 3, delay: 2s}",
        also=("retry", "max_retries", "num_retries", "attempts", "max_attempts", "tries"),
    )
    continue_on_error: bool = key(
        False,
        "A failure is shown, but what needs the step goes on, with None for a failed task, and the exit code stays 0.",
        example="true",
        also=("ignore_errors", "ignore_error", "ignore_failure", "ignore_failures", "allow_failure"),
    )
    max_memory: Memory = key(
        0,
        "The most memory a child may hold: bytes, or text such as 512M or 2G. "
        "K, M, G and T (also KB or KiB, and so on) are powers of 1024.",
        example="2G",
        also=("memory", "mem", "mem_limit", "memory_limit", "memory_max", "max_rss"),
    )


class SizesEntry(Written):
    """The size of a pool, and how it sends tasks to workers."""

    processes: PoolSize = key(
        "cpus",
        "How many workers: a number, cpus, or cpus - N.",
        example="cpus - 1",
        also=("workers", "n_jobs", "num_workers", "max_workers", "n_workers", "size", "jobs"),
    )
    chunksize: Count = key(
        0, "How many items a worker is given at once.", example="16", also=("chunk_size", "batch_size", "chunks")
    )
    maxtasksperchild: Count = key(
        0,
        "A worker is replaced after so many tasks.",
        example="100",
        also=("max_tasks_per_child", "max_tasks", "maxtasks"),
    )
    engine: PoolEngine | SkipJsonSchema[None] = key(
        None, "What runs the pool, in place of the workflow's engine.", example=OTHER_ENGINE
    )


class DefaultsEntry(LimitsEntry, SizesEntry):
    """The defaults of all steps. A key of a step replaces its default as a whole."""


class StepEntry(LimitsEntry):
    """What processes and pools have in common: what they call, what they wait for, and their limits."""

    target: TargetText = key(
        "",
        "What to call: module:function, module:Class.method or path/to/file.py:function.",
        example="jobs:resize",
        also=("run", "script", "func", "function", "fn", "callable", "call"),
    )
    command: Command = key(
        [],
        "A program to run in place of a target: its name and arguments, without a shell.",
        example="[gzip, -k, report.txt]",
        also=("cmd", "exec", "program", "argv", "shell", "entrypoint"),
    )
    needs: Needs = key(
        {},
        "The steps that must have succeeded before this one starts, or how they must have ended.",
        example="[fetch, count]",
        also=("depends_on", "dependson", "depends", "dependencies", "after", "requires", "require"),
    )
    if_: WrittenIf = key(
        None,
        "The step is skipped unless this holds, such as ${params.n} > 3.",
        alias="if",
        example="${params.n} > 3",
        also=("when", "condition", "only_if"),
    )
    env: Env = key(
        {},
        "Environment variables of its children, on top of the workflow's.",
        json_schema_extra=NO_OTHER_NAMES,
        example="{OMP_NUM_THREADS: 1}",
        also=ALSO_ENV,
    )
    working_dir: FolderPath = key(
        "",
        "The folder its children run in; the workflow's unless given.",
        example="data",
        also=ALSO_WORKING_DIR,
    )
    keys: TextToCome = key(
        "",
        "What labels a task: the name of a field of its item, or a text with ${item}.",
        example="page-${item}",
        takes="the name of a field, or a text with `${item}`",
    )
    inputs: InputFiles = key(
        [],
        "Files that are there before a call is made, and count by their content when its result is reused.",
        example="[rows.csv, 'data/*']",
        takes="the path or pattern of files, or a list of them",
        also=("sources", "deps", "reads", "input_files"),
    )
    outputs: OutputFiles = key(
        [],
        "Files that are there once a call has returned: a call that hasn't made them has failed.",
        example="report.txt",
        takes="the path of a file, `{file: PATH, unchanged: ok}`, or a list of these",
        also=("output_files", "products", "targets_made", "generates", "artifacts", "creates"),
    )
    stdout: TextToCome = key(
        "",
        "A file for what the `command` writes to standard output, written whole or not at all; its path is the result.",
        example="listing.txt",
        takes="the path of a file, as text",
        also=("stdout_file", "stdout_path", "redirect", "capture_output"),
    )
    stderr: TextToCome = key(
        "",
        "A file for what the `command` writes to standard error, written whole or not at all.",
        example="errors.txt",
        takes="the path of a file, as text",
        also=("stderr_file", "stderr_path"),
    )
    save: TextToCome = key(
        "",
        "A file for the results: .json, .jsonl, .csv or .pickle, written whole or not at all. "
        "With continue_on_error it has null for failed tasks (in .csv no row).",
        example="results.jsonl",
        takes="the path of a .json, .jsonl, .csv or .pickle file, as text",
        also=("output", "save_to", "save_as", "outfile"),
    )
    reuse: bool = key(
        True,
        "Whether a run with --reuse, or resume, may leave out those of its calls that an earlier run has made.",
        example="false",
        also=("cache", "memoize", "cached", "skip_done"),
    )


class ProcessEntry(StepEntry):
    """One multiprocessing.Process; with foreach, matrix or zip, one for each of their items."""

    model_config = ConfigDict(json_schema_extra=_ONE_FAN_OUT)

    args: list[Any] = key([], "Positional arguments of the target.", example="[2026, fast]", also=ALSO_ARGS)
    kwargs: Kwargs = key({}, "Keyword arguments of the target.", example="{year: 2026}", also=ALSO_KWARGS)
    daemon: bool = key(
        False,
        "Not waited for; stopped after the last ordinary step.",
        example="true",
        also=("daemonic", "background"),
    )
    foreach: Items | SkipJsonSchema[None] = key(
        None,
        "One Process an item, which ${item} stands for.",
        example="{glob: 'photos/*.jpg'}",
        also=("for_each", "each", "over", "map", "items", "with_items", "loop"),
    )
    matrix: Matrix | SkipJsonSchema[None] = key(
        None,
        "One Process for each combination of the axes' values.",
        example="{size: [128, 256], format: [png, jpg]}",
        also=ALSO_MATRIX,
    )
    zip: Axes | SkipJsonSchema[None] = key(
        None,
        "One Process for the first values of all lists, one for the second, and so on.",
        example="{year: [2025, 2026], pages: [10, 12]}",
    )
    max_parallel: Count = key(
        0,
        "How many of a fan-out's Processes are at work at once; the CPUs unless given.",
        example="4",
        also=("concurrency", "parallelism", "max_workers", "n_jobs"),
    )

    @property
    def fan_out(self) -> str:
        """The fan-out of the process: `foreach`, `matrix` or `zip`; empty if there is none."""
        return next((key for key in FAN_OUTS if getattr(self, key) is not None), "")


class PoolEntry(StepEntry, SizesEntry):
    """One multiprocessing.Pool and one call of it: apply, map, starmap, imap, imap_unordered, matrix or zip."""

    model_config = ConfigDict(json_schema_extra=_ONE_CALL)

    apply: Apply | SkipJsonSchema[None] = key(
        None, "One call, with these arguments.", example="{args: [2026]}", also=("apply_async",)
    )
    map: Items | SkipJsonSchema[None] = key(
        None,
        "One call an item; results in input order.",
        example="[1, 2, 3]",
        also=("items", "over", "iterable", "foreach", "for_each", "map_async", "each"),
    )
    starmap: Items | SkipJsonSchema[None] = key(
        None,
        "Like map, but each item is the list of a call's arguments, or a mapping of them.",
        example="[[1, 2], [3, 4]]",
        also=("starmap_async",),
    )
    imap: Items | SkipJsonSchema[None] = key(
        None, "Like map, with items read as they are needed.", example="{lines: urls.txt}"
    )
    imap_unordered: Items | SkipJsonSchema[None] = key(
        None,
        "Like imap, with results that stream in order of completion.",
        example="{lines: urls.txt}",
        also=("unordered",),
    )
    matrix: Matrix | SkipJsonSchema[None] = key(
        None,
        "One call for each combination of the axes' values, given as keyword arguments.",
        example="{size: [128, 256], format: [png, jpg]}",
        also=ALSO_MATRIX,
    )
    zip: Axes | SkipJsonSchema[None] = key(
        None,
        "One call for the first values of all lists, one for the second, and so on.",
        example="{year: [2025, 2026], pages: [10, 12]}",
    )
    kwargs: Kwargs = key(
        {}, "Keyword arguments of the target, the same for each call.", example="{quality: 80}", also=ALSO_KWARGS
    )
    initializer: TargetText = key(
        "",
        "Called once in each worker before its first task.",
        example="jobs:connect",
        also=("init", "setup", "init_func"),
    )
    initargs: list[Any] = key(
        [],
        "Positional arguments of the initializer.",
        example="[db.example.org, 5432]",
        also=("init_args", "initializer_args"),
    )
    finalizer: TargetText = key(
        "",
        "Called once in each worker after its last task; ${results.step.finals} has what they return.",
        example="jobs:totals",
        also=("finalize", "finally", "teardown", "cleanup", "worker_exit", "exit_func"),
    )

    @property
    def call(self) -> PoolCall:
        """The one call that was written. Raises StopIteration if there is none, which `load` has ruled out."""
        return next(call for call in POOL_CALLS if getattr(self, call) is not None)
