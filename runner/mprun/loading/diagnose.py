"""Turns Pydantic's errors into mprun's words: what the key takes, what was found, and where."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from mprun.errors.places import Path
from mprun.format.items import AXIS, ITEMS
from mprun.format.levels import MATRIX, STEP_GROUPS, WORKFLOW, Level
from mprun.format.values import TARGET
from mprun.format.workflow import LOG
from mprun.loading.mistakes import Mistake, found, is_number, short
from mprun.loading.sections import level_at
from mprun.loading.suggestions import did_you_mean, meant, suggest, suggest_key
from mprun.plan.child_spec import LogTasks

_ENTRY = "a mapping with a `target`"
_NAME_RULE = "letters, digits, `_` and `-`, and no digit or `-` first"
_BAD_VALUES = ("bad_value", "literal_error", "greater_than_equal", "less_than_equal", "string_too_short")
_ABSENT: Any = object()
_REPEATED = ("none_required",)  # Pydantic repeats the error for the other half of "this or not given"


def model_mistakes(error: ValidationError, data: Any) -> Iterator[Mistake]:
    """Yield a mistake for each of Pydantic's errors about `data`, except errors that follow from another one."""
    for details in error.errors(include_url=False, include_input=False):
        if details["type"] not in _REPEATED:
            yield from _mistake(details, data)


def _mistake(details: ErrorDetails, data: Any) -> Iterator[Mistake]:
    kind, loc = details["type"], details["loc"]
    if kind == "missing":
        yield from _missing(str(loc[-1]), *_walk(loc[:-1], data))
        return
    path, value = _walk(loc, data)
    if kind == "invalid_key" and path[-2:-1] == ("matrix",):
        return  # the name of an axis: a rule reports it, together with names that are text
    if loc and loc[-1] == "[key]":
        yield _bad_name(path)
    elif kind in ("extra_forbidden", "invalid_key"):
        yield _unknown_key(path, value)
    else:
        hint = str(details.get("ctx", {}).get("hint", ""))
        yield _bad_value("bad-value" if kind in _BAD_VALUES else "wrong-type", path, value, hint)


def _walk(loc: tuple[int | str, ...], data: Any) -> tuple[Path, Any]:
    """Return the path and the value that `loc` leads to, without Pydantic's own entries for unions and tags.

    A key that is neither text nor a whole number (`~`, `1.5`) stands in `loc` as text.
    """
    path: Path = ()
    for part in loc:
        if isinstance(data, list) and isinstance(part, int) and part < len(data):
            path, data = (*path, part), data[part]
        elif isinstance(data, dict):
            key = part if part in data else next((key for key in data if str(key) == part), _ABSENT)
            path, data = ((*path, key), data[key]) if key is not _ABSENT else (path, data)
    return path, data


def _missing(key: str, path: Path, data: Any) -> Iterator[Mistake]:
    level = level_at(path)
    if level is None or key in meant(data, level):  # the key is there, misspelt; that mistake is reported
        return
    message = f"{_subject(path)} has no `{key}`"
    yield Mistake("missing-key", message, path, "key", f"add `{key}:`, which takes {level.takes(key)}")


def _unknown_key(path: Path, value: Any) -> Mistake:
    *parent, key = path
    level = level_at(tuple(parent)) or WORKFLOW
    advice = did_you_mean(suggest_key(key, level, is_a_number=is_number(value)))
    takes = f"{level.name} takes: {', '.join(sorted(level.keys))}"
    notes = () if advice else (*_belongs_elsewhere(str(key), level), takes)
    return Mistake("unknown-key", f"`{short(key)}` is not a key of {level.name}", path, "key", advice, notes)


def _belongs_elsewhere(key: str, level: Level) -> tuple[str, ...]:
    names = {"the whole workflow": WORKFLOW, **{other.name: other for other in STEP_GROUPS.values()}}
    others = [name for name, other in names.items() if other is not level and key in other.keys]
    return (f"`{key}` is a key of {' and of '.join(others)}",) if others else ()


def _bad_name(path: Path) -> Mistake:
    name = short(path[-1])
    if path[0] == "targets":
        return Mistake("bad-name", f"`{name}` can't be the name of a target", path, "key", f"a name has {_NAME_RULE}")
    if path[-2:-1] == ("params",):
        return Mistake(
            "bad-name", f"`{name}` can't be the name of a parameter", path, "key", f"a name has {_NAME_RULE}"
        )
    if path[-2] == "env":
        return Mistake(
            "bad-name", f"`{name}` can't be the name of a variable", path, "key", "a name is text without `=`"
        )
    if path[-2:-1] == ("kwargs",):
        return Mistake("bad-name", f"`{name}` can't be the name of a parameter", path, "key", "a Python name is needed")
    if path[2:3] in (("matrix",), ("zip",)):
        return Mistake("bad-name", f"`{name}` can't be the name of an axis", path, "key", "a Python name is needed")
    kind = "shared thing" if path[0] == "shared" else "step"
    return Mistake("bad-name", f"`{name}` can't be the name of a {kind}", path, "key", f"a name has {_NAME_RULE}")


def _bad_value(code: str, path: Path, value: Any, hint: str) -> Mistake:
    if not path:
        return Mistake(code, f"a workflow is a mapping with `processes` or `pools`, not {found(value)}", path)
    takes = _takes_at(path)
    if value is None:
        advice = "give it a value, or leave the key out" if level_at(path[:-1]) else "give it a value"
        return Mistake(code, f"{_subject(path)} has no value; it takes {takes}", path, "key", advice)
    message = f"{_subject(path)} takes {takes}, not {found(value)}"
    return Mistake(code, message, path, "value", hint or _advice(takes, value))


def _subject(path: Path) -> str:
    if not path:
        return "the workflow"
    parent, key = path[:-1], short(path[-1])
    if len(parent) == 1 and parent[0] in STEP_GROUPS:
        return f"the {STEP_GROUPS[str(parent[0])].name.split()[-1]} `{key}`"
    if isinstance(path[-1], int):
        return f"item {path[-1] + 1} of `{short(path[-2])}`"
    return f"`{key}` in `{short(parent[-1])}`" if level_at(parent) is None else f"`{key}`"


def _takes_at(path: Path) -> str:
    if path[0] == "include" and isinstance(path[-1], int):
        return "a file's path or a mapping with a `file`"
    level = level_at(path[:-1])
    if level:
        return level.takes(str(path[-1]))
    if path[-2:-1] == ("env",):
        return "text or a number"
    if path[0] == "targets":
        return TARGET
    if path[2:3] in (("matrix",), ("zip",)):
        return _takes_in_a_grid(path[3:])
    if isinstance(path[-1], int):
        return "text"
    return _ENTRY


def _takes_in_a_grid(path: Path) -> str:
    """Return what stands below a `matrix` or a `zip`: axes with names of the user's, `include` and `exclude`."""
    if path[0] not in ("include", "exclude"):
        return AXIS
    return MATRIX.takes(str(path[0])) if len(path) == 1 else "a mapping of axes to values"


def _advice(takes: str, value: Any) -> str:
    """Return the smallest change that would make `value` fit, if there is an obvious one."""
    if isinstance(value, str):
        return _advice_for_text(takes, value)
    if "mapping of step names" in takes and isinstance(value, list):
        return "give each entry its name as a key, without `-`"
    if "mapping of step names" in takes and is_number(value):
        return f"did you mean `max_parallel: {short(value)}`?"
    if takes == ITEMS and is_number(value):
        return f"write `[{short(value)}]`, or `{{range: {short(value)}}}`"
    if takes.startswith("a list") and not isinstance(value, dict):
        return f"write `[{_bare(value)}]`"
    if isinstance(value, int | float) and "text" in takes and "number" not in takes:
        return "put it in quotes to make it text"
    return ""


def _bare(value: Any) -> str:
    """Return `value` as it can stand between brackets, or `…` if it is long or would need quotes."""
    text = "…" if isinstance(value, bool) else str(value)
    return text if text.replace("_", "").replace("-", "").isalnum() and len(text) <= 40 else "…"


def _advice_for_text(takes: str, value: str) -> str:
    if "whole number" in takes and value.lstrip("+-").isdecimal():
        return "write it without quotes"
    if "seconds" in takes and value.isdecimal():
        return f"write `{short(value)}s`, or the number without quotes"
    if "`true`" in takes:
        yes_or_no = {"yes": "true", "on": "true", "no": "false", "off": "false"}.get(value.lower(), value.lower())
        return did_you_mean(suggest(yes_or_no, ("true", "false")))
    if takes == LOG and value in get_args(LogTasks):
        return f"write `{{tasks: {value}}}`"
    if takes == ITEMS:
        return "write `{glob: …}`, `{lines: …}` or `[…]`"
    if takes.startswith("a list"):
        return f"write `[{_bare(value)}]`"
    if takes == _ENTRY:
        return f"write `target: {short(value)}` below the name"
    words = [word for word in takes.split("`")[1::2] if word.isalpha()]
    return did_you_mean(suggest(value, words)) if "mapping" not in takes else ""
