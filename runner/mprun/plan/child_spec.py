"""The part of the plan sent to children. It is a module of its own, so that children load no more of the plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from mprun.language.targets import Target

Backoff = Literal["fixed", "exponential"]
LogTasks = Literal["all", "failures"]
PoolCall = Literal["apply", "map", "starmap", "imap", "imap_unordered", "matrix", "zip"]
Converts = Literal["", "strict", "text"]  # how a child converts arguments: not at all, from plain data, from text


@dataclass(frozen=True, slots=True)
class Retries:
    """When a call that failed is made again: at most `count` more times, `delay` seconds after it ended.

    `on` are outcomes (`raised`, `lost`, `timed_out`); where classes are given in `exceptions`, `raised` counts only for
    these, and never for those in `not_exceptions`. `backoff` exponential doubles the delay each time, up to
    `max_delay`; `jitter` takes a random part of it.
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
    """What a child is given before it runs a target: `env` on top of its own, its folder, its search path.

    Values of `env` may be References and Templates: of secrets and of the run.
    """

    env: dict[str, Any]
    working_dir: str
    pythonpath: tuple[str, ...]
