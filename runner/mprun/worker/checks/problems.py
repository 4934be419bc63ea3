"""The problems that the check child finds with a use of a target, as data that the parent places in the file."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mprun.language.targets import Target
from mprun.plan.child_spec import Converts


@dataclass(frozen=True, slots=True)
class Producer:
    """A step whose results are used: its target (None for a program, whose result is text), and whether it has many."""

    step: str
    target: Target | None
    many: bool


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a target.

    `at` is the path, below the step, of the target's text; `where` is the path of `args`. `shape` says what `args` are:

    - once: the arguments of the one call
    - each: items, one argument a call; star: items, each the list of a call's arguments
    - each-like, star-like: one example of items that are not known before the run, or none
    - axes: nothing; each of `kwargs` is a list of values, of which each call gets one
    - generator: the arguments of the one call, which returns an iterable
    - exception: nothing; the target is an exception class, which is not called
    - array: nothing; `kwargs` declare a numpy array

    Beside items, `kwargs` are the same for each call. A `range` may stand for items; it is never made into a list.
    Without an example, an item may be any plain data. `mode` says what items, and thus arguments that refer to
    `${item}`, are: plain data (`strict`), or text from outside (`text`). The target must be in each of the lists in
    `allowed`. `results` are the steps, by name, to whose results the arguments refer; `items_from` is the step whose
    results are the items. `rows` says what the rows of a csv file are that the step saves: each result of the target,
    or the items of its one result; it is empty if the step saves none.
    """

    target: Target
    at: tuple[str | int, ...]
    shape: str
    where: tuple[str | int, ...] = ()
    args: Sequence[Any] = ()
    kwargs: dict[str, Any] = dataclasses.field(default_factory=dict)
    mode: Converts = "strict"
    allowed: tuple[tuple[Target, ...], ...] = ()
    results: dict[str, Producer] = dataclasses.field(default_factory=dict)
    items_from: Producer | None = None
    rows: Literal["", "each", "items"] = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake. `path` is where it is written, below the step.

    `near` narrows the place to a text that stands there, `skip` or more characters from the beginning. With `at_key`,
    the key is wrong, and not its value.
    """

    code: str
    message: str
    path: tuple[str | int, ...]
    near: str = ""
    advice: str = ""
    notes: tuple[str, ...] = ()
    skip: int = 0
    at_key: bool = False

    def fields(self) -> dict[str, Any]:
        return dataclasses.asdict(self)
