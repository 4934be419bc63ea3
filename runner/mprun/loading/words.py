"""Did you mean …? Close spellings, and the words of other tools for what mprun calls by Python's names."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from functools import lru_cache
from itertools import islice
from typing import Any

_MAX_COMPARED = 500  # comparing is slow, and a file can hold thousands of mistakes

_STEP_WORDS = {
    **dict.fromkeys(("depends_on", "dependson", "depends", "dependencies", "after", "requires", "require"), "needs"),
    **dict.fromkeys(
        ("cmd", "command", "run", "script", "func", "function", "fn", "callable", "exec", "call"), "target"
    ),
    **dict.fromkeys(("arguments", "argv", "params", "parameters", "positional"), "args"),
    **dict.fromkeys(("kwds", "keywords", "kw", "kwarg"), "kwargs"),
}
_OTHER_WORDS: dict[str, dict[str, str]] = {
    "a workflow": {
        **dict.fromkeys(("environment", "env_vars", "environ", "envs"), "env"),
        **dict.fromkeys(("cwd", "workdir", "chdir", "working_directory", "working-directory", "dir"), "working_dir"),
        **dict.fromkeys(("python_path", "path", "sys_path"), "pythonpath"),
        **dict.fromkeys(("context", "mp_context", "startmethod", "method"), "start_method"),
        **dict.fromkeys(("grace", "stop_timeout", "kill_timeout", "stop_grace_period"), "grace_period"),
        **dict.fromkeys(("jobs", "tasks", "steps", "process", "services", "workers"), "processes"),
        "pool": "pools",
        "title": "name",
    },
    "a process": {**_STEP_WORDS, "daemonic": "daemon", "background": "daemon"},
    "a pool": {
        **_STEP_WORDS,
        **dict.fromkeys(("workers", "n_jobs", "num_workers", "max_workers", "n_workers", "size", "jobs"), "processes"),
        **dict.fromkeys(("chunk_size", "batch_size", "chunks"), "chunksize"),
        **dict.fromkeys(("max_tasks_per_child", "max_tasks", "maxtasks"), "maxtasksperchild"),
        **dict.fromkeys(("init", "setup", "init_func"), "initializer"),
        **dict.fromkeys(("init_args", "initializer_args"), "initargs"),
        **dict.fromkeys(("items", "over", "iterable", "inputs", "foreach", "for_each", "map_async", "each"), "map"),
        "apply_async": "apply",
        "starmap_async": "starmap",
        "unordered": "imap_unordered",
    },
    "`apply`": {word: ours for word, ours in _STEP_WORDS.items() if ours in ("args", "kwargs")},
    "a source of items": {
        **dict.fromkeys(("files", "pattern", "paths", "path"), "glob"),
        **dict.fromkeys(("file", "text", "line"), "lines"),
        "count": "range",
    },
}


@lru_cache(maxsize=100_000)
def suggest_key(word: Any, level: str, keys: tuple[str, ...]) -> str:
    """The key of `level` that was probably meant by `word`, or an empty text."""
    lowered = str(word).lower()
    other = _OTHER_WORDS.get(level, {}).get(lowered) or _OTHER_WORDS.get(level, {}).get(lowered.replace("-", "_"))
    return other or suggest(str(word), keys)


def suggest(word: str, names: Iterable[str]) -> str:
    """The one of `names` that is spelt most like `word`, or an empty text."""
    by_lower = {name.lower(): name for name in islice(names, _MAX_COMPARED)}
    close = get_close_matches(word[:200].lower(), by_lower, n=1, cutoff=0.7)
    return by_lower[close[0]] if close else ""


def did_you_mean(suggestion: str) -> str:
    return f"did you mean `{suggestion}`?" if suggestion else ""


def meant(keys: Iterable[Any], level: str, known: tuple[str, ...]) -> set[str]:
    """The keys of a level that stand there, or stand there under another spelling."""
    return {key if key in known else suggest_key(key, level, known) for key in keys} - {""}
