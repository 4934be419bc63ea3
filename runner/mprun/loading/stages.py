"""The loop over stages: each takes the value that the last one gave, and gives a new value and the mistakes it found.

Imports nothing, so that a command can boot a child before it imports what the stages are made of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, NamedTuple, TypeVar

Value = TypeVar("Value")
Found = TypeVar("Found")


class Output(NamedTuple, Generic[Value, Found]):
    """What a stage gives: a `value` of its own, None where no later stage can go on, and the `mistakes` it found."""

    value: Value
    mistakes: tuple[Found, ...] = ()


Stage = Callable[[Any], Output[Any, Any]]


def run_stages(stages: Iterable[Stage], value: Any) -> Output[Any, Any]:
    """The value that the last of `stages` gives, with the mistakes of all, in the order in which they were found."""
    mistakes: tuple[Any, ...] = ()
    for stage in stages:
        value, found = stage(value)
        mistakes += found
        if value is None:
            break
    return Output(value, mistakes)
