"""A written workflow → the plan: defaults applied, paths made absolute, targets parsed, sizes known."""

from __future__ import annotations

import glob
import multiprocessing
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mprun.models.values import RETRIED_OUTCOMES
from mprun.models.workflow import ItemsFrom, PoolEntry, ProcessEntry, RetriesEntry, StepEntry, Workflow
from mprun.places import Places
from mprun.plan import Limits, Plan, PoolStep, ProcessStep, Retries, StartMethod, Step, Surroundings
from mprun.sources import GlobSource, LinesSource, ListSource, RangeSource, Source
from mprun.system import available_cpus
from mprun.targets import Target, is_builtin_exception, parse_target


def build(workflow: Workflow, file: str, sha256: str, places: Places) -> Plan:
    """The plan of `workflow`, which was read from `file` (its bytes' digest: `sha256`).

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
            env={name: unescape(value) for name, value in workflow.env.items()},
            working_dir=builder.cwd,
            pythonpath=builder.search_folders(),
        ),
        steps=builder.steps(places),
        timeout=workflow.timeout,
        max_parallel=workflow.max_parallel,
        fail_fast=workflow.fail_fast,
        log_tasks=workflow.log.tasks,
    )


def default_start_method() -> StartMethod:
    """`forkserver` where there is one, else `spawn`: a fork of a process with threads can hang."""
    return "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"


def unescape(value: Any) -> Any:
    """`value` with `$${` as `${` in every text in it; keys stay as they are. Returns new lists and mappings."""
    if isinstance(value, str):
        return value.replace("$${", "${")
    if isinstance(value, list):
        return [unescape(item) for item in value]
    if isinstance(value, dict):
        return {key: unescape(item) for key, item in value.items()}
    return value


class _Builder:
    """What the steps of one workflow share while they are built."""

    def __init__(self, folder: str, cwd: str, workflow: Workflow) -> None:
        self.folder = folder
        self.cwd = os.path.normpath(cwd)
        self._workflow = workflow

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
        files = [self._target(text).file for text in self._target_texts()]
        folders = [self.folder, *map(self._absolute, self._workflow.pythonpath)]
        folders += [os.path.dirname(file) for file in files if file]
        return tuple(dict.fromkeys(folders))

    def _target_texts(self) -> list[str]:
        processes, pools = self._workflow.processes.values(), self._workflow.pools.values()
        initializers = [pool.initializer for pool in pools if pool.initializer]
        targets = [entry.target for entry in (*processes, *pools)]
        retries = [entry.retries for entry in (*processes, *pools) if entry.retries]
        classes = [text for written in retries for text in (*written.on, *written.not_on) if ":" in text]
        return [*targets, *initializers, *classes]

    def _process(self, name: str, entry: ProcessEntry) -> ProcessStep:
        return ProcessStep(
            name=name,
            target=self._target(entry.target),
            args=tuple(unescape(entry.args)),
            kwargs=unescape(entry.kwargs),
            daemon=entry.daemon,
            needs=self._needs(entry),
            limits=self._limits(entry),
        )

    def _pool(self, name: str, entry: PoolEntry) -> PoolStep:
        return PoolStep(
            name=name,
            target=self._target(entry.target),
            call=entry.call,
            source=ListSource((None,)) if entry.apply else self._source(getattr(entry, entry.call)),
            args=tuple(unescape(entry.apply.args)) if entry.apply else (),
            kwargs=unescape(entry.apply.kwargs) if entry.apply else {},
            processes=pool_size(entry.processes, available_cpus()),
            chunksize=entry.chunksize,
            initializer=self._target(entry.initializer) if entry.initializer else None,
            initargs=tuple(unescape(entry.initargs)),
            maxtasksperchild=entry.maxtasksperchild,
            engine=entry.engine or self._workflow.engine,
            needs=self._needs(entry),
            limits=self._limits(entry),
        )

    def _limits(self, entry: StepEntry) -> Limits:
        return Limits(
            timeout=entry.timeout,
            step_timeout=entry.step_timeout,
            slow_after=entry.slow_after,
            max_memory=entry.max_memory,
            retries=self._retries(entry.retries) if entry.retries else Retries(),
            continue_on_error=entry.continue_on_error,
        )

    def _retries(self, written: RetriesEntry) -> Retries:
        outcomes = {text for text in written.on if text in RETRIED_OUTCOMES}
        classes = self._classes(text for text in written.on if text not in outcomes)
        return Retries(
            count=written.count,
            delay=written.delay,
            backoff=written.backoff,
            max_delay=max(written.delay, written.max_delay),
            jitter=written.jitter,
            on=tuple(
                outcome for outcome in RETRIED_OUTCOMES if outcome in outcomes or (classes and outcome == "raised")
            ),
            exceptions=classes,
            not_exceptions=self._classes(written.not_on),
        )

    def _classes(self, texts: Iterable[str]) -> tuple[Target, ...]:
        return tuple(
            Target(text, "builtins", "", text) if is_builtin_exception(text) else self._target(text)
            for text in dict.fromkeys(texts)
        )

    def _source(self, items: list[Any] | ItemsFrom) -> Source:
        if isinstance(items, list):
            return ListSource(tuple(unescape(items)))
        if items.glob:
            return GlobSource(os.path.join(glob.escape(self.folder), unescape(items.glob)), self.cwd)
        if items.lines:
            return LinesSource(self._absolute(unescape(items.lines)))
        numbers = range(*items.range)
        return RangeSource(numbers.start, numbers.stop, numbers.step)

    def _needs(self, entry: StepEntry) -> tuple[str, ...]:
        known = {*self._workflow.processes, *self._workflow.pools}
        return tuple(dict.fromkeys(need for need in entry.needs if need in known))

    def _target(self, text: str) -> Target:
        target = parse_target(text, self.folder)
        return target if not target.file else Target(text, "", os.path.normpath(target.file), target.qualname)

    def _absolute(self, path: str) -> str:
        return os.path.normpath(os.path.join(self.folder, path))


def pool_size(written: int | str, cpus: int) -> int:
    """`cpus` and `cpus - N` as a number of workers, at least 1."""
    if isinstance(written, int):
        return written
    less = re.search(r"\d+", written)
    return max(1, cpus - (int(less.group()) if less else 0))
