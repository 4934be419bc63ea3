"""Which references may stand where in a workflow: what must be known before the start, and what may come later."""

from __future__ import annotations

from typing import Any, NamedTuple

from mprun.errors.places import Path
from mprun.plan.plan import HOOKS, POOL_CALLS

PROCESS_GROUPS = ("processes", *HOOKS)

STATIC = frozenset({"params", "env"})
_LATER = frozenset({"results", "run"})
_SHARED = frozenset({"shared"})

SHARED_ELSEWHERE = "what is shared is given to a step in `args`, `kwargs` or `initargs`"


class Position(NamedTuple):
    """The references that may stand at a place of the file.

    `scopes` are allowed beside literal text; if empty, no reference is allowed. `whole` are scopes that are allowed
    only for a reference without text around it. `secrets` says whether a secret may stand here. `what` is the place in
    words, `why` the reason why other references may not stand there.
    """

    scopes: frozenset[str]
    what: str
    why: str = ""
    whole: frozenset[str] = frozenset()
    secrets: bool = False


def position(path: Path, data: dict[Any, Any]) -> Position:
    """Return the position of the text at `path` in the workflow `data`."""
    match path:
        case (_, _, "target" | "initializer" | "finalizer") | ("targets", *_):
            return Position(frozenset(), f"`{path[-1]}`", "targets are checked as they are written")
        case (_, _, "needs", *_) | (_, _, "retries", "on" | "not_on", *_):
            return Position(frozenset(), f"`{path[2]}`", "it takes names")
        case ("params", *_):
            return Position(frozenset({"env"}), "a parameter", "it is what others refer to")
        case (group, name, key, *_) if group in PROCESS_GROUPS:
            return _in_process(str(group), entry_at(data, group, name), str(key), len(path))
        case ("pools", name, key, *rest):
            return _in_pool(entry_at(data, "pools", name), str(key), tuple(rest))
        case ("env", _):
            return Position(STATIC | {"run"}, "`env`", secrets=True)
    return Position(STATIC, f"`{path[0]}`" if path else "a workflow", _BEFORE)


_BEFORE = "it must be known before the start"


def entry_at(data: dict[Any, Any], group: Any, name: Any) -> dict[Any, Any]:
    entries = data.get(group)
    entry = entries.get(name) if isinstance(entries, dict) else None
    return entry if isinstance(entry, dict) else {}


def _in_process(group: str, entry: dict[Any, Any], key: str, depth: int) -> Position:
    what = f"the `{key}` of a process"
    if key in ("args", "kwargs", "command"):
        whole = frozenset[str]() if key == "command" else _SHARED
        return Position(STATIC | _LATER | _of_cell(entry), what, _no_cell(entry), whole, secrets=True)
    if key == "keys":
        return Position(STATIC | _of_cell(entry), what, _no_cell(entry))
    if key in ("stdout", "stderr", "inputs", "outputs"):
        return Position(STATIC | {"run"} | _of_cell(entry), what, _no_cell(entry))
    if key == "foreach":
        whole = frozenset({"results"}) if depth == 3 else frozenset[str]()
        return Position(STATIC, what, _AS_A_WHOLE, whole)
    return _of_step(key, what)


def _in_pool(entry: dict[Any, Any], key: str, rest: tuple[str | int, ...]) -> Position:
    what = f"the `{key}` of a pool"
    if key == "command":
        return Position(STATIC | _LATER | _of_task(entry), what, "a pool has one of the two", secrets=True)
    if key == "keys":
        return Position(STATIC | _of_task(entry), what, "it labels the tasks")
    if key in ("stdout", "stderr", "inputs", "outputs"):
        return Position(STATIC | {"run"} | _of_task(entry), what, "it is the file of each task")
    if key in ("kwargs", "initargs") or (key == "apply" and rest[:1] in (("args",), ("kwargs",))):
        return Position(STATIC | _LATER, what, "it is the same for each task", _SHARED, secrets=True)
    if key in POOL_CALLS and rest[:1] in (("args",), ("kwargs",)):
        return Position(STATIC | {"run"}, f"the `{rest[0]}` of a generator", _BEFORE, secrets=True)
    if key in POOL_CALLS and key not in ("matrix", "zip"):
        return Position(STATIC, what, _AS_A_WHOLE, frozenset({"results"}) if not rest else frozenset())
    return _of_step(key, what)


_AS_A_WHOLE = "the results of a step are its items as a whole, or stand in `kwargs`"


def _of_step(key: str, what: str) -> Position:
    if key == "env":
        return Position(STATIC | {"run"}, what, secrets=True)
    if key == "if":
        return Position(STATIC | _LATER, "`if`", "it is decided before the step starts")
    if key == "save":
        return Position(STATIC | {"run"}, what, "it names one file for all results")
    return Position(STATIC, what, _BEFORE)


def _of_cell(entry: dict[Any, Any]) -> frozenset[str]:
    """Return the scopes that distinguish one Process of a fan-out from the others."""
    found = {"item"} if "foreach" in entry else {"matrix"} if "matrix" in entry or "zip" in entry else set()
    return frozenset(found)


def _no_cell(entry: dict[Any, Any]) -> str:
    if "foreach" in entry:
        return "the cells of a `foreach` have an `${item}`"
    if _of_cell(entry):
        return "the cells of a `matrix` or `zip` have `${matrix.axis}`"
    return "it has no `foreach`, `matrix` or `zip`"


def _of_task(entry: dict[Any, Any]) -> frozenset[str]:
    return frozenset({"matrix"}) if "matrix" in entry or "zip" in entry else frozenset({"item"})


def axes_of(path: Path, data: dict[Any, Any]) -> list[str]:
    """Return the axes that `${matrix.…}` at `path` may name."""
    entry = entry_at(data, path[0], path[1])
    axes = entry.get("matrix", entry.get("zip"))
    if not isinstance(axes, dict):
        return []
    included = axes.get("include")
    more = [name for each in included if isinstance(each, dict) for name in each] if isinstance(included, list) else []
    names = [name for name in dict.fromkeys((*axes, *more)) if isinstance(name, str)]
    return [name for name in names if name not in ("include", "exclude")]
