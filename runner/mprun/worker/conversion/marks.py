"""The forms in which `save` and the log write what JSON lacks (log/values.py), read again: `{"$date": "2026-01-31"}`.

Which form a value may have follows from what its annotation asks for; nothing else is looked for.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from enum import Enum
from functools import reduce
from operator import or_
from typing import Any

NOTHING: Any = object()
_CONTENT = ("$date", "$datetime", "$time", "$timedelta", "$decimal", "$uuid", "$path", "$fields", "$set")


def content(value: Any, mark: str) -> Any:
    """What stands below `mark` in `value`, where that is all it holds (but for the name of a type); else NOTHING."""
    if type(value) is dict and mark in value and not value.keys() - {mark, "type"}:
        return value[mark]
    return NOTHING


def entries_of(value: Mapping[Any, Any]) -> Iterable[tuple[Any, Any]]:
    """The keys and values of a mapping, also of one that is written as pairs, since its keys aren't texts.

    Raises ValueError for what are no pairs.
    """
    pairs = content(value, "$dict")
    if pairs is NOTHING:
        return value.items()
    if not isinstance(pairs, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        raise ValueError(pairs)
    return [(key, item) for key, item in pairs]


def member_of(kind: type[Enum], text: Any) -> Any:
    """The member that `text` names as `module.Class.NAME`, or the flags (`READ|WRITE`); else NOTHING."""
    owner, _, names = text.rpartition(".") if isinstance(text, str) else ("", "", "")
    if owner.rpartition(".")[2] != kind.__name__ or not all(name in kind.__members__ for name in names.split("|")):
        return NOTHING
    return reduce(or_, [kind.__members__[name] for name in names.split("|")])


def plain(value: Any) -> Any:
    """`value` as Pydantic reads JSON: with the content of each form in its place."""
    if type(value) is list:
        return [plain(item) for item in value]
    if type(value) is not dict:
        return value
    for mark in _CONTENT:
        if (inside := content(value, mark)) is not NOTHING:
            return plain(inside)
    if (number := content(value, "$float")) is not NOTHING:
        return float(number)
    if (name := content(value, "$enum")) is not NOTHING:
        return _value_of_member(name)
    return {plain(key): plain(item) for key, item in entries_of(value)}


def _value_of_member(text: str) -> Any:
    """The value of the member that `text` names, whose class an annotation has loaded already; else `text`."""
    *path, name = text.split(".")
    for length in range(len(path) - 1, 0, -1):
        found: Any = sys.modules.get(".".join(path[:length]))
        for part in path[length:]:
            found = getattr(found, part, None)
        if isinstance(found, type) and issubclass(found, Enum) and name in found.__members__:
            return found[name].value
    return text
