"""The plan: what will run, with every default applied. Frozen, comparable, printable, the same for each engine."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import Any, Literal

from mprun.sources import Source
from mprun.targets import Target

PLAN_FORMAT = "1.0"

Backoff = Literal["fixed", "exponential"]
PoolEngine = Literal["local", "stdlib"]
LogTasks = Literal["all", "failures"]
PoolCall = Literal["apply", "map", "starmap", "imap", "imap_unordered"]
StartMethod = Literal["fork", "spawn", "forkserver"]

POOL_CALLS: tuple[PoolCall, ...] = ("apply", "map", "starmap", "imap", "imap_unordered")


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
class Limits:
    """What bounds a step: times in seconds and memory in bytes, 0 for no bound.

    `timeout` is for one attempt of one call, `step_timeout` for the whole step; a call longer than `slow_after` is
    reported while it runs; `max_memory` is the resident memory of one child.
    """

    timeout: float = 0.0
    step_timeout: float = 0.0
    slow_after: float = 0.0
    max_memory: int = 0
    retries: Retries = Retries()
    continue_on_error: bool = False


@dataclass(frozen=True, slots=True)
class ProcessStep:
    """One `multiprocessing.Process(target=…, args=…, kwargs=…, daemon=…)`."""

    name: str
    target: Target
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    daemon: bool
    needs: tuple[str, ...]
    limits: Limits = Limits()
    kind: str = "process"


@dataclass(frozen=True, slots=True)
class PoolStep:
    """One `multiprocessing.Pool(processes=…)` and one call of it.

    For `apply`, `source` has one item, `args`/`kwargs` are the call's own; for every other call they are empty.
    `chunksize` 0 leaves the size to the engine; `maxtasksperchild` 0 never replaces a worker.
    """

    name: str
    target: Target
    call: PoolCall
    source: Source
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    processes: int
    chunksize: int
    initializer: Target | None
    initargs: tuple[Any, ...]
    maxtasksperchild: int
    engine: PoolEngine
    needs: tuple[str, ...]
    limits: Limits = Limits()
    kind: str = "pool"


Step = ProcessStep | PoolStep


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a child is given before it runs a target: `env` on top of its own, its folder, its search path."""

    env: dict[str, str]
    working_dir: str
    pythonpath: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole run. `steps` stand in the order written; `needs` say what must have succeeded before a step starts.

    `grace_period` and `timeout` (of the run) are seconds; `timeout` and `max_parallel` are 0 for no bound. `log_tasks`
    says whether each task has a line in the log, or only those that fail.
    """

    name: str
    description: str
    workflow: str
    workflow_sha256: str
    start_method: StartMethod
    grace_period: float
    surroundings: Surroundings
    steps: tuple[Step, ...]
    timeout: float = 0.0
    max_parallel: int = 0
    fail_fast: bool = False
    log_tasks: LogTasks = "all"

    def step(self, name: str) -> Step:
        return next(step for step in self.steps if step.name == name)


def declared_tasks(step: Step) -> int | None:
    """How many tasks `step` will have; None where only running it can tell. A process counts as one task."""
    return 1 if isinstance(step, ProcessStep) else step.source.count()


def plan_document(plan: Plan) -> dict[str, Any]:
    """The plan as JSON data: what `mprun plan --json` prints and what is kept beside a run's log."""
    return {"plan_format": PLAN_FORMAT, **dataclasses.asdict(plan)}


def plan_json(plan: Plan) -> str:
    """`plan_document` as text with a stable order of keys."""
    return json.dumps(plan_document(plan), ensure_ascii=False, indent=2) + "\n"


def plan_sha256(plan: Plan) -> str:
    return hashlib.sha256(plan_json(plan).encode("utf-8", "surrogatepass")).hexdigest()
