"""What the check child has found wrong with one use of a target, as data for the parent to place in the file."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from mprun.targets import Target


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a target.

    `role` is the key it is written under; `where` the path, below the step, of `args`. `shape` says what `args` are:

    - once: the arguments of the one call
    - each: items, one argument a call; star: items, each the list of a call's arguments
    - each-like, star-like: one example of items that are not known before the run
    """

    target: Target
    role: str
    shape: str
    where: tuple[str, ...]
    args: tuple[Any, ...]
    kwargs: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake. `path` is where it is written, below the step; `near` narrows it to a text on that line."""

    code: str
    message: str
    path: tuple[str | int, ...]
    near: str = ""
    advice: str = ""
    notes: tuple[str, ...] = ()

    def fields(self) -> dict[str, Any]:
        return dataclasses.asdict(self)
