"""When two values are the same: the one comparison of conditions, choices, keys and reuse.

Python's `==` takes `True` for `1`, `1` for `1.0` and `0.0` for `-0.0`. Two calls with such arguments differ, so here a
value is the same as another only if both have the same type and are written in the same way.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

Equal = Callable[[Any, Any], bool]


def same(one: Any, other: Any) -> bool:
    """Whether both are of one type and equal, down to what lies in lists, tuples and mappings (in any order of keys).

    A NaN is the same as itself; `0.0` and `-0.0` differ. Returns False where the class of a value can't compare it.
    """
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return (one == other and math.copysign(1, one) == math.copysign(1, other)) or (one != one and other != other)
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
        return len(one) == len(other) and all(_has(other, key, value, alike) for key, value in one.items())
    try:
        return bool(one == other)
    except Exception:  # noqa: BLE001 -- `__eq__` and `__bool__` are the user's: an array of numpy has no single truth
        return False


def _has(mapping: dict[Any, Any], key: Any, value: Any, alike: Equal) -> bool:
    """Whether `mapping` has just this key, and for it a value like `value`: `1` and `True` are one key to a dict."""
    return (
        key in mapping
        and alike(mapping[key], value)
        and any(alike(key, each) for each in mapping if each is key or each == key)
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
