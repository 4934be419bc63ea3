"""What the check child has found wrong with one use of a target, as data for the parent to place in the file."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from mprun.targets import Target


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a target.

    `at` is the path, below the step, of the target's text; `where` that of `args`. `shape` says what `args` are:

    - once: the arguments of the one call
    - each: items, one argument a call; star: items, each the list of a call's arguments
    - each-like, star-like: one example of items that are not known before the run
    - exception: nothing, as the target is a class of exceptions, which is not called
    """

    target: Target
    at: tuple[str | int, ...]
    shape: str
    where: tuple[str, ...] = ()
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake. `path` is where it is written, below the step.

    `near` narrows it to a text that stands there, `skip` or more characters from the beginning.
    """

    code: str
    message: str
    path: tuple[str | int, ...]
    near: str = ""
    advice: str = ""
    notes: tuple[str, ...] = ()
    skip: int = 0

    def fields(self) -> dict[str, Any]:
        return dataclasses.asdict(self)
