"""The loop over stages: each takes the value of the last one, and returns a new value and its mistakes.

This module imports nothing, so that a command can boot a child before it imports the stages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, NamedTuple, TypeVar

Value = TypeVar("Value")
Found = TypeVar("Found")


class Output(NamedTuple, Generic[Value, Found]):
    """What a stage returns: a `value` (None if no later stage can continue) and its `mistakes`."""

    value: Value
    mistakes: tuple[Found, ...] = ()


Stage = Callable[[Any], Output[Any, Any]]


def run_stages(stages: Iterable[Stage], value: Any) -> Output[Any, Any]:
    """Return the value of the last of `stages`, with the mistakes of all stages in the order of finding."""
    mistakes: tuple[Any, ...] = ()
    for stage in stages:
        value, found = stage(value)
        mistakes += found
        if value is None:
            break
    return Output(value, mistakes)
