"""What the check child has found wrong with one use of a target, as data for the parent to place in the file."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mprun.language.targets import Target
from mprun.plan.child_spec import Converts


@dataclass(frozen=True, slots=True)
class Producer:
    """A step whose results are used: what it calls (None: a program, which gives text), and whether `many` times."""

    step: str
    target: Target | None
    many: bool


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a target.

    `at` is the path, below the step, of the target's text; `where` that of `args`. `shape` says what `args` are:

    - once: the arguments of the one call
    - each: items, one argument a call; star: items, each the list of a call's arguments
    - each-like, star-like: one example of items that are not known before the run, or none
    - axes: nothing; each of `kwargs` is a list of values, of which each call has one
    - generator: the arguments of the one call, which returns an iterable
    - exception: nothing, as the target is a class of exceptions, which is not called
    - array: nothing; `kwargs` are what an array of numpy is made of

    Beside items, `kwargs` are the same for each call. For items a `range` may stand, which is not made into a list.
    Without an example, an item may be any plain data. `mode` says whether items, and so what arguments refer to as
    `${item}`, are plain data (`strict`) or text from outside (`text`). What is called has to be in each of the lists of
    targets in `allowed`. `results` are the steps, by name, to whose results the arguments refer; `items_from` is the
    one whose results the items are. `rows` says what are the rows of a csv file that the step saves: each result of the
    target, or the items of its one result; empty where it saves none.
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

    `near` narrows it to a text that stands there, `skip` or more characters from the beginning; with `at_key` it is the
    key that is wrong, and not what it stands for.
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
