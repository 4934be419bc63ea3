"""When two values are the same: the one comparison of conditions, choices, keys and reuse.

Python's `==` takes `True` for `1`, `1` for `1.0` and `0.0` for `-0.0`. Two calls with such arguments differ, so here a
value is the same as another only if both have the same type and are written in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

Equal = Callable[[Any, Any], bool]

# Python takes values of these for equal that are written in different ways: `0.0` and `-0.0`, `Decimal("1.0")` and
# `Decimal("1.00")`, one moment in two time zones. By module, as to compare a number shouldn't import `decimal`.
_BY_THEIR_WRITING = {"builtins": {"float", "complex"}, "decimal": {"Decimal"}, "datetime": {"datetime", "time"}}


def same(one: Any, other: Any) -> bool:
    """Whether both are of one type and equal, down to what lies in lists, tuples, sets, mappings (in any order of keys)
    and dataclasses.

    A NaN is the same as itself; `0.0` and `-0.0` differ. Returns False where the class of a value can't compare it.
    """
    kind = type(one)
    if kind is not type(other):
        return False
    if kind.__name__ in _BY_THEIR_WRITING.get(kind.__module__, ()):
        return repr(one) == repr(other)
    return _alike(one, other, same)


def equal(one: Any, other: Any) -> bool:
    """Equality in a condition: as `same`, but numbers are compared by their value, and a tuple as the list that a
    workflow can write. `true` is not `1`."""
    if _is_number(one) and _is_number(other):
        return bool(one == other)
    one, other = (list(value) if isinstance(value, tuple) else value for value in (one, other))
    return type(one) is type(other) and _alike(one, other, equal)


def _alike(one: Any, other: Any, alike: Equal) -> bool:
    """Whether `one` and `other`, which are of one type, are equal, where `alike` compares what lies in them."""
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, dict):
        return _same_keys(one, other, alike) and all(alike(value, other[key]) for key, value in one.items())
    if isinstance(one, set | frozenset):
        return _same_keys(one, other, alike)
    try:
        return bool(one == other) and all(alike(*both) for both in _fields(one, other))
    except Exception:  # noqa: BLE001 -- `__eq__` and `__bool__` are the user's: an array of numpy has no single truth
        return False


def _same_keys(one: Collection[Any], other: Collection[Any], alike: Equal) -> bool:
    """Whether each key of the one is among the other's, for which `1` and `True` are one key."""
    keys = {key: key for key in other}
    return len(one) == len(keys) and all(key in keys and alike(key, keys[key]) for key in one)


def _fields(one: Any, other: Any) -> list[tuple[Any, Any]]:
    """What both have in each field that their class compares, where it is a dataclass or a Pydantic model."""
    kind = type(one)
    compared = [name for name, field in getattr(kind, "__dataclass_fields__", {}).items() if field.compare]
    names = [*compared, *getattr(kind, "__pydantic_fields__", ())]
    return [(getattr(one, name), getattr(other, name)) for name in names if hasattr(one, name)]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
