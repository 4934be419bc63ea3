"""Did you mean …? Close spellings, and the words of other tools for what mprun calls by Python's names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import lru_cache
from itertools import islice
from typing import Any

from mprun.loading.mistakes import is_number

_MAX_COMPARED = 500  # comparing is slow, and a file can hold thousands of mistakes

_AROUND_WORDS = {
    **dict.fromkeys(("environment", "env_vars", "environ", "envs"), "env"),
    **dict.fromkeys(("cwd", "workdir", "chdir", "working_directory", "working-directory", "dir"), "working_dir"),
}
_STEP_WORDS = {
    **_AROUND_WORDS,
    **dict.fromkeys(("depends_on", "dependson", "depends", "dependencies", "after", "requires", "require"), "needs"),
    **dict.fromkeys(("run", "script", "func", "function", "fn", "callable", "call"), "target"),
    **dict.fromkeys(("cmd", "exec", "program", "argv", "shell", "entrypoint"), "command"),
    **dict.fromkeys(("when", "condition", "only_if"), "if"),
    **dict.fromkeys(("output", "save_to", "save_as", "outfile"), "save"),
    **dict.fromkeys(("arguments", "params", "parameters", "positional"), "args"),
    **dict.fromkeys(("kwds", "keywords", "kw", "kwarg"), "kwargs"),
    **dict.fromkeys(
        ("time_limit", "timeout_seconds", "timeout_minutes", "deadline", "max_time", "execution_timeout"), "timeout"
    ),
    **dict.fromkeys(("total_timeout", "pool_timeout"), "step_timeout"),
    **dict.fromkeys(("soft_time_limit", "slow_timeout", "slow_threshold", "slow"), "slow_after"),
    **dict.fromkeys(("retry", "max_retries", "num_retries", "attempts", "max_attempts", "tries"), "retries"),
    **dict.fromkeys(
        ("ignore_errors", "ignore_error", "ignore_failure", "ignore_failures", "allow_failure"), "continue_on_error"
    ),
    **dict.fromkeys(("memory", "mem", "mem_limit", "memory_limit", "memory_max", "max_rss"), "max_memory"),
}
_OTHER_WORDS: dict[str, dict[str, str]] = {
    "a workflow": {
        **_AROUND_WORDS,
        **dict.fromkeys(("python_path", "path", "sys_path"), "pythonpath"),
        **dict.fromkeys(("context", "mp_context", "startmethod", "method"), "start_method"),
        **dict.fromkeys(("grace", "stop_timeout", "kill_timeout", "stop_grace_period"), "grace_period"),
        **dict.fromkeys(("jobs", "tasks", "steps", "process", "services", "workers"), "processes"),
        **dict.fromkeys(("time_limit", "timeout_seconds", "timeout_minutes", "deadline", "run_timeout"), "timeout"),
        **dict.fromkeys(("concurrency", "parallelism", "max_concurrency", "parallel", "max_jobs"), "max_parallel"),
        **dict.fromkeys(("failfast", "stop_on_error", "stop_on_failure", "abort_on_error", "halt"), "fail_fast"),
        **dict.fromkeys(("logging", "events"), "log"),
        **dict.fromkeys(("parameters", "inputs", "variables", "vars"), "params"),
        "pool": "pools",
        **dict.fromkeys(("on_error", "on_fail", "on_failed", "onfailure", "failure", "catch"), "on_failure"),
        **dict.fromkeys(("on_done", "onsuccess", "success", "on_complete"), "on_success"),
        **dict.fromkeys(
            ("finally", "always", "on_finish", "on_end", "teardown", "cleanup", "onexit", "after"), "on_exit"
        ),
        "title": "name",
    },
    "a process": {
        **_STEP_WORDS,
        **dict.fromkeys(("daemonic", "background"), "daemon"),
        **dict.fromkeys(("for_each", "each", "over", "map", "items", "with_items", "loop"), "foreach"),
        **dict.fromkeys(("strategy", "grid", "product"), "matrix"),
        **dict.fromkeys(("concurrency", "parallelism", "max_workers", "n_jobs"), "max_parallel"),
    },
    "a pool": {
        **_STEP_WORDS,
        **dict.fromkeys(("workers", "n_jobs", "num_workers", "max_workers", "n_workers", "size", "jobs"), "processes"),
        **dict.fromkeys(("chunk_size", "batch_size", "chunks"), "chunksize"),
        **dict.fromkeys(("max_tasks_per_child", "max_tasks", "maxtasks"), "maxtasksperchild"),
        **dict.fromkeys(("init", "setup", "init_func"), "initializer"),
        **dict.fromkeys(("init_args", "initializer_args"), "initargs"),
        **dict.fromkeys(("finalize", "finally", "teardown", "cleanup", "worker_exit", "exit_func"), "finalizer"),
        **dict.fromkeys(("items", "over", "iterable", "inputs", "foreach", "for_each", "map_async", "each"), "map"),
        "apply_async": "apply",
        "starmap_async": "starmap",
        "unordered": "imap_unordered",
        **dict.fromkeys(("strategy", "grid", "product"), "matrix"),
        **dict.fromkeys(("kwds", "kw"), "kwargs"),
    },
    "a parameter": {
        **dict.fromkeys(("min", "ge", "least"), "minimum"),
        **dict.fromkeys(("max", "le", "most"), "maximum"),
        **dict.fromkeys(("enum", "options", "values", "allowed"), "choices"),
        **dict.fromkeys(("regex", "regexp", "match"), "pattern"),
        **dict.fromkeys(("help", "desc", "doc"), "description"),
        **dict.fromkeys(("sensitive", "password", "masked"), "secret"),
        **dict.fromkeys(("value", "initial"), "default"),
    },
    "`retries`": {
        **dict.fromkeys(("max", "limit", "times", "attempts", "max_attempts", "max_retries", "tries"), "count"),
        **dict.fromkeys(("wait", "interval", "initial_delay", "initial_interval", "retry_delay", "seconds"), "delay"),
        **dict.fromkeys(("backoff_factor", "backoff_rate", "factor", "multiplier", "strategy", "policy"), "backoff"),
        **dict.fromkeys(("max_backoff", "max_interval", "max_wait", "backoff_max", "maximum_interval"), "max_delay"),
        **dict.fromkeys(("random", "randomize", "jitter_factor"), "jitter"),
        **dict.fromkeys(("exceptions", "errors", "retry_on", "when", "only", "only_on"), "on"),
        **dict.fromkeys(("ignore", "except", "exclude", "do_not_retry", "non_retryable"), "not_on"),
    },
    "`log`": dict.fromkeys(("level", "lines", "results", "calls"), "tasks"),
    "`apply`": {word: ours for word, ours in _STEP_WORDS.items() if ours in ("args", "kwargs")},
    "a source of items": {
        **dict.fromkeys(("files", "pattern", "paths", "path"), "glob"),
        **dict.fromkeys(("file", "text", "line"), "lines"),
        "count": "range",
        **dict.fromkeys(("limit", "head", "take"), "first"),
        **dict.fromkeys(("offset", "start", "drop"), "skip"),
        **dict.fromkeys(("sep", "separator"), "delimiter"),
        **dict.fromkeys(("json", "ndjson", "jsonlines"), "jsonl"),
        **dict.fromkeys(("generator", "function", "target"), "call"),
    },
}
# What means another thing with a number after it: `jobs: 4` is no group of steps.
_WITH_A_NUMBER = {"a workflow": dict.fromkeys(("jobs", "n_jobs", "workers", "max_workers", "process"), "max_parallel")}


@lru_cache(maxsize=100_000)
def suggest_key(word: Any, level: str, keys: tuple[str, ...], *, is_a_number: bool = False) -> str:
    """The key of `level` that was probably meant by `word`, or an empty text. `is_a_number` tells of its value."""
    words = {**_OTHER_WORDS.get(level, {}), **(_WITH_A_NUMBER.get(level, {}) if is_a_number else {})}
    lowered = str(word).lower()
    return words.get(lowered) or words.get(lowered.replace("-", "_")) or suggest(str(word), keys)


def suggest(word: str, names: Iterable[str]) -> str:
    """The one of `names` that is spelt most like `word`, or an empty text."""
    by_lower = {name.lower(): name for name in islice(names, _MAX_COMPARED)}
    close = get_close_matches(word[:200].lower(), by_lower, n=1, cutoff=0.7)
    return by_lower[close[0]] if close else ""


def did_you_mean(suggestion: str) -> str:
    return f"did you mean `{suggestion}`?" if suggestion else ""


def meant(data: Mapping[Any, Any], level: str, known: tuple[str, ...]) -> set[str]:
    """The keys of a level that stand in `data`, or stand there under another spelling."""
    return {
        key if key in known else suggest_key(key, level, known, is_a_number=is_number(value))
        for key, value in data.items()
    } - {""}
