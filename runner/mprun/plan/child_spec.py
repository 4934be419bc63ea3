"""The part of the plan sent to children. A module of its own, so that children import no more of the plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from mprun.language.targets import Target

Backoff = Literal["fixed", "exponential"]
LogTasks = Literal["all", "failures"]
PoolCall = Literal["apply", "map", "starmap", "imap", "imap_unordered", "matrix", "zip"]

# What a child does with the arguments of its calls: nothing; it checks that each is what its annotation says, and makes
# no other value of any; it converts them from plain data; it converts items of a file that holds plain data, or texts.
Converts = Literal["", "check", "strict", "data", "text"]
FROM_FILES: frozenset[Converts] = frozenset({"data", "text"})


@dataclass(frozen=True, slots=True)
class Retries:
    """When a failed call is retried: at most `count` times, `delay` seconds after the end of the attempt.

    `on` are outcomes (`raised`, `lost`, `timed_out`). With classes in `exceptions`, `raised` counts only for these; it
    never counts for classes in `not_exceptions`. With `backoff` exponential, the delay doubles each time, up to
    `max_delay`. With `jitter`, it is a random part of that.
    """

    count: int = 0
    delay: float = 0.0
    backoff: Backoff = "fixed"
    max_delay: float = 60.0
    jitter: bool = False
    on: tuple[str, ...] = ("raised", "lost", "timed_out")
    exceptions: tuple[Target, ...] = ()
    not_exceptions: tuple[Target, ...] = ()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a child gets before it runs a target: `env` in addition to its own, its folder, its search path.

    Values of `env` may be References and Templates: of secrets and of the run.
    """

    env: dict[str, Any]
    working_dir: str
    pythonpath: tuple[str, ...]
