"""From workflows as written to the plan: defaults applied, paths absolute, targets parsed, sizes known."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mprun.errors.places import Places
from mprun.format.workflow import Workflow
from mprun.language.targets import Target
from mprun.plan.plan import Plan, StartMethod, Step
from mprun.planning.build.finals import with_finals
from mprun.planning.build.flow import with_flow
from mprun.planning.build.shared import shared_things
from mprun.planning.build.steps import StepsBuilder


@dataclass(frozen=True, slots=True)
class WorkflowFile:
    """One parsed file of a workflow: its path as given, the digest of its bytes, and its content.

    `params` are the values of its parameters except secret ones. `allowed` are lists of targets; its steps may call
    only targets that are in each list.
    """

    file: str
    sha256: str
    workflow: Workflow
    places: Places
    params: Mapping[str, Any]
    allowed: tuple[tuple[Target, ...], ...] = ()

    @property
    def path(self) -> str:
        return os.path.abspath(self.file)


def build(files: Sequence[WorkflowFile]) -> Plan:
    """Return the plan of the last of `files`. It includes the other files, whose steps come before its own.

    The last file decides what concerns the whole run. Needs of unknown steps are dropped, because `load` has reported
    them already.
    """
    *included, main = files
    written = main.workflow
    names = {name for each in files for _, name, _ in each.workflow.steps}
    builders = [StepsBuilder(os.path.dirname(each.path), each.workflow, names, written.engine) for each in files]
    steps = (step for each, builder in zip(files, builders, strict=True) for step in _in_order(each, builder.steps()))
    return Plan(
        name=written.name or Path(main.file).stem,
        description=written.description,
        workflow=main.path,
        workflow_sha256=main.sha256,
        start_method=written.start_method or default_start_method(),
        grace_period=written.grace_period,
        surroundings=builders[-1].around,
        steps=with_flow(with_finals(steps), {wait for each in files for wait in _waits(each.workflow)}),
        timeout=written.timeout,
        max_parallel=written.max_parallel,
        fail_fast=written.fail_fast,
        log_tasks=written.log.tasks,
        params=dict(main.params),
        included={each.path: each.sha256 for each in included},
        shared=shared_things(written, os.path.dirname(main.path)),
    )


def _waits(workflow: Workflow) -> Iterator[tuple[str, str]]:
    """Yield each step with each step in its `needs`."""
    for name, entry in (*workflow.processes.items(), *workflow.pools.items()):
        yield from ((name, need) for need in entry.needs)


def _in_order(written: WorkflowFile, steps: Sequence[tuple[str, Step]]) -> list[Step]:
    """Return the steps, each with its group, in the order written across both groups."""

    def position(step: tuple[str, Step]) -> tuple[int, int]:
        place = written.places.key((step[0], step[1].name))
        return place.line, place.column

    return [step for _, step in sorted(steps, key=position)]


def default_start_method() -> StartMethod:
    """Return `forkserver` if the system has it, else `spawn`. Forking a process with threads can hang."""
    return "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
