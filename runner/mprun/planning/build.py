"""A written workflow → the plan: defaults applied, paths made absolute, targets parsed, sizes known."""

from __future__ import annotations

import multiprocessing
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from mprun.models.steps import PoolEntry, ProcessEntry, StepEntry
from mprun.models.workflow import Workflow
from mprun.places import Places
from mprun.plan import Condition, Plan, PoolStep, ProcessStep, StartMethod, Step, Surroundings
from mprun.planning.build_items import ItemsBuilder
from mprun.planning.build_limits import limits_of
from mprun.references import Reference, Template, references_in
from mprun.system import available_cpus
from mprun.targets import Target, parse_target

COMMAND = "mprun.worker.command:run_command"  # the target of a step that has a `command`


def build(workflow: Workflow, file: str, sha256: str, places: Places, params: Mapping[str, Any]) -> Plan:
    """The plan of `workflow`, which was read from `file` (its bytes' digest: `sha256`) with these values of `params`.

    Needs of steps that are not in `workflow` are left out: `load` has complained about those already.
    """
    path = os.path.abspath(file)
    folder = os.path.dirname(path)
    builder = _Builder(folder, os.path.join(folder, workflow.working_dir).rstrip(os.sep) or os.sep, workflow)
    return Plan(
        name=workflow.name or Path(file).stem,
        description=workflow.description,
        workflow=path,
        workflow_sha256=sha256,
        start_method=workflow.start_method or default_start_method(),
        grace_period=workflow.grace_period,
        surroundings=Surroundings(
            env=dict(workflow.env),
            working_dir=builder.cwd,
            pythonpath=builder.search_folders(),
        ),
        steps=builder.steps(places),
        timeout=workflow.timeout,
        max_parallel=workflow.max_parallel,
        fail_fast=workflow.fail_fast,
        log_tasks=workflow.log.tasks,
        params=dict(params),
    )


def default_start_method() -> StartMethod:
    """`forkserver` where there is one, else `spawn`: a fork of a process with threads can hang."""
    return "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"


class _Builder:
    """What the steps of one workflow share while they are built."""

    def __init__(self, folder: str, cwd: str, workflow: Workflow) -> None:
        self.folder = folder
        self.cwd = os.path.normpath(cwd)
        self._workflow = workflow
        self._items = ItemsBuilder(folder, self.cwd, self.target)

    def steps(self, places: Places) -> tuple[Step, ...]:
        """In the order written, across both groups."""
        written = self._workflow
        steps: list[tuple[str, Step]] = [
            *(("processes", self._process(name, entry)) for name, entry in written.processes.items()),
            *(("pools", self._pool(name, entry)) for name, entry in written.pools.items()),
        ]

        def position(step: tuple[str, Step]) -> tuple[int, int]:
            place = places.key((step[0], step[1].name))
            return place.line, place.column

        return tuple(step for _, step in sorted(steps, key=position))

    def search_folders(self) -> tuple[str, ...]:
        """The workflow's folder, what `pythonpath` adds, and the folders of targets' own files: each once."""
        files = [self.target(text).file for text in self._target_texts()]
        folders = [self.folder, *map(self._absolute, self._workflow.pythonpath)]
        folders += [os.path.dirname(file) for file in files if file]
        return tuple(dict.fromkeys(folders))

    def _target_texts(self) -> list[str]:
        processes, pools = self._workflow.processes.values(), self._workflow.pools.values()
        initializers = [pool.initializer for pool in pools if pool.initializer]
        targets = [entry.target for entry in (*processes, *pools) if entry.target]
        retries = [entry.retries for entry in (*processes, *pools) if entry.retries]
        classes = [text for written in retries for text in (*written.on, *written.not_on) if ":" in text]
        return [*targets, *initializers, *classes]

    def _process(self, name: str, entry: ProcessEntry) -> ProcessStep:
        by_name = entry.fan_out in ("matrix", "zip") and not (entry.args or entry.kwargs or entry.command)
        return ProcessStep(
            name=name,
            target=self.target(entry.target or COMMAND),
            args=tuple(entry.args),
            kwargs=entry.kwargs,
            daemon=entry.daemon,
            needs=self._needs(entry),
            limits=limits_of(entry, self.target),
            cells=self._items.of_process(entry),
            cell="" if not entry.fan_out else "kwargs" if by_name else "item" if entry.foreach else "matrix",
            max_parallel=entry.max_parallel,
            command=tuple(entry.command),
            keys=entry.keys,
            save=self._save(entry.save),
        )

    def _pool(self, name: str, entry: PoolEntry) -> PoolStep:
        return PoolStep(
            name=name,
            target=self.target(entry.target or COMMAND),
            call=entry.call,
            source=self._items.of_pool(entry),
            args=tuple(entry.apply.args) if entry.apply else (),
            kwargs=entry.apply.kwargs if entry.apply else entry.kwargs,
            processes=pool_size(entry.processes, available_cpus()),
            chunksize=entry.chunksize,
            initializer=self.target(entry.initializer) if entry.initializer else None,
            initargs=tuple(entry.initargs),
            maxtasksperchild=entry.maxtasksperchild,
            engine=entry.engine or self._workflow.engine,
            needs=self._needs(entry),
            limits=limits_of(entry, self.target),
            command=tuple(entry.command),
            keys=entry.keys,
            save=self._save(entry.save),
        )

    def _save(self, written: str | Reference | Template) -> str | Template:
        """The file's absolute path."""
        if isinstance(written, str):
            return self._absolute(written) if written else ""
        parts = written.parts if isinstance(written, Template) else (written,)
        absolute = isinstance(parts[0], Reference) or os.path.isabs(parts[0])  # `${run.dir}` is
        return Template(parts if absolute else (os.path.join(self.folder, ""), *parts))

    def _needs(self, entry: StepEntry) -> dict[str, Condition]:
        """Those written, and the steps whose results the entry refers to."""
        referred = (reference.path[0] for reference in references_in(list(_values(entry))))
        needs: dict[str, Any] = {**dict.fromkeys(referred, "succeeded"), **entry.needs}
        known = {*self._workflow.processes, *self._workflow.pools}
        return {name: condition for name, condition in needs.items() if name in known}

    def target(self, text: str) -> Target:
        target = parse_target(text, self.folder)
        return target if not target.file else Target(text, "", os.path.normpath(target.file), target.qualname)

    def _absolute(self, path: str) -> str:
        return os.path.normpath(os.path.join(self.folder, path))


def _values(entry: BaseModel) -> Iterator[Any]:
    """Every value that is written in `entry`, on each level."""
    for _, value in entry:
        if isinstance(value, BaseModel):
            yield from _values(value)
        else:
            yield value


def pool_size(written: int | str, cpus: int) -> int:
    """`cpus` and `cpus - N` as a number of workers, at least 1."""
    if isinstance(written, int):
        return written
    less = re.search(r"\d+", written)
    return max(1, cpus - (int(less.group()) if less else 0))
