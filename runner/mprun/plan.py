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

PoolCall = Literal["apply", "map", "starmap", "imap", "imap_unordered"]
StartMethod = Literal["fork", "spawn", "forkserver"]

POOL_CALLS: tuple[PoolCall, ...] = ("apply", "map", "starmap", "imap", "imap_unordered")


@dataclass(frozen=True, slots=True)
class ProcessStep:
    """One `multiprocessing.Process(target=…, args=…, kwargs=…, daemon=…)`."""

    name: str
    target: Target
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    daemon: bool
    needs: tuple[str, ...]
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
    needs: tuple[str, ...]
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
    """A whole run. `steps` stand in the order written; `needs` say what must have succeeded before a step starts."""

    name: str
    description: str
    workflow: str
    workflow_sha256: str
    start_method: StartMethod
    grace_period: float
    surroundings: Surroundings
    steps: tuple[Step, ...]

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
