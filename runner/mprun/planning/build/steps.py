"""Builds the steps of one workflow file."""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterator
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from mprun.format.steps import PoolEntry, ProcessEntry, StepEntry
from mprun.format.workflow import Workflow
from mprun.language.references import Reference, Template, references_in
from mprun.language.targets import Target, parse_target
from mprun.plan.child_spec import Surroundings
from mprun.plan.plan import HOOKS, TARGET_KEYS, Condition, PoolStep, ProcessStep, Step, When
from mprun.planning.build.items import ItemsBuilder
from mprun.planning.build.limits import limits_of
from mprun.sources.table import Site
from mprun.system.machine import available_cpus

COMMAND = "mprun.worker.command:run_command"  # the target of a step with a `command`


class StepsBuilder:
    """Builds the steps of the file `workflow` in `folder`, from which its relative paths start.

    `names` are all steps, also those of other files. `engine` is the engine of pools that name none.
    """

    def __init__(self, folder: str, workflow: Workflow, names: Container[str], engine: str) -> None:
        self._folder = folder
        self._workflow = workflow
        self._names = names
        self._engine = engine
        self.around = Surroundings(dict(workflow.env), self._absolute(workflow.working_dir), self._search_folders())

    def steps(self) -> list[tuple[str, Step]]:
        """Return each step with its group."""
        return [(group, self._step(group, name, entry)) for group, name, entry in self._workflow.steps]

    def _step(self, group: str, name: str, entry: ProcessEntry | PoolEntry) -> Step:
        if isinstance(entry, PoolEntry):
            return self._pool(name, entry)
        return self._process(name, entry, HOOKS.get(group, ""))

    def _search_folders(self) -> tuple[str, ...]:
        """Return the workflow's folder, the folders of `pythonpath`, and those of targets' own files, each once."""
        files = [self._target(text).file for text in self._target_texts()]
        folders = [self._folder, *map(self._absolute, self._workflow.pythonpath)]
        folders += [os.path.dirname(file) for file in files if file]
        return tuple(dict.fromkeys(folders))

    def _target_texts(self) -> list[str]:
        entries = [entry for _, _, entry in self._workflow.steps]
        targets = [text for entry in entries for key in TARGET_KEYS if (text := getattr(entry, key, ""))]
        retries = [entry.retries for entry in entries if entry.retries]
        classes = [text for written in retries for text in (*written.on, *written.not_on) if ":" in text]
        return [*targets, *classes]

    def _process(self, name: str, entry: ProcessEntry, when: When) -> ProcessStep:
        by_name = entry.fan_out in ("matrix", "zip") and not (entry.args or entry.kwargs or entry.command)
        return ProcessStep(
            name=name,
            target=self._target(entry.target or COMMAND),
            args=tuple(entry.args),
            kwargs=entry.kwargs,
            daemon=entry.daemon,
            needs=self._needs(entry, "finished" if when else "succeeded"),
            surroundings=self._around(entry),
            limits=limits_of(entry, self._target),
            cells=self._items(entry).of_process(entry),
            cell="" if not entry.fan_out else "kwargs" if by_name else "item" if entry.foreach else "matrix",
            max_parallel=entry.max_parallel,
            command=tuple(entry.command),
            inputs=tuple(self._output(each) for each in entry.inputs),
            outputs=tuple((self._output(path), may_be_old) for path, may_be_old in entry.outputs),
            stdout=self._output(entry.stdout),
            stderr=self._output(entry.stderr),
            keys=entry.keys,
            save=self._save(entry.save),
            condition=entry.if_,
            when=when,
            reuse=entry.reuse,
        )

    def _pool(self, name: str, entry: PoolEntry) -> PoolStep:
        return PoolStep(
            name=name,
            target=self._target(entry.target or COMMAND),
            call=entry.call,
            source=self._items(entry).of_pool(entry),
            args=tuple(entry.apply.args) if entry.apply else (),
            kwargs=entry.apply.kwargs if entry.apply else entry.kwargs,
            processes=pool_size(entry.processes, available_cpus()),
            chunksize=entry.chunksize,
            initializer=self._target(entry.initializer) if entry.initializer else None,
            initargs=tuple(entry.initargs),
            finalizer=self._target(entry.finalizer) if entry.finalizer else None,
            maxtasksperchild=entry.maxtasksperchild,
            engine=entry.engine or self._engine,
            needs=self._needs(entry, "succeeded"),
            surroundings=self._around(entry),
            limits=limits_of(entry, self._target),
            command=tuple(entry.command),
            inputs=tuple(self._output(each) for each in entry.inputs),
            outputs=tuple((self._output(path), may_be_old) for path, may_be_old in entry.outputs),
            stdout=self._output(entry.stdout),
            stderr=self._output(entry.stderr),
            keys=entry.keys,
            save=self._save(entry.save),
            condition=entry.if_,
            reuse=entry.reuse,
        )

    def _around(self, entry: StepEntry) -> Surroundings:
        """Return the workflow's surroundings, with what the step adds or changes."""
        return replace(self.around, env={**self.around.env, **entry.env}, working_dir=self._cwd(entry))

    def _cwd(self, entry: StepEntry) -> str:
        return self._absolute(entry.working_dir) if entry.working_dir else self.around.working_dir

    def _items(self, entry: StepEntry) -> ItemsBuilder:
        return ItemsBuilder(Site(self._folder, self._cwd(entry)))

    def _save(self, written: str | Reference | Template) -> str | Template:
        """Return the absolute path of the file."""
        if isinstance(written, str):
            return self._absolute(written) if written else ""
        parts = written.parts if isinstance(written, Template) else (written,)
        # A path that begins with a reference, such as `${run.dir}`, is absolute.
        absolute = isinstance(parts[0], Reference) or os.path.isabs(parts[0])
        return Template(parts if absolute else (os.path.join(self._folder, ""), *parts))

    def _output(self, written: str | Reference | Template) -> str | Reference | Template:
        """As `_save`, but text that begins with a reference (`${item.stem}.out`) starts from the children's folder."""
        begins = written.parts[0] if isinstance(written, Template) else written
        return written if isinstance(begins, Reference) else self._save(written)

    def _needs(self, entry: StepEntry, referred_to: Condition) -> dict[str, Condition]:
        """Return the written needs, and the steps whose results the entry uses, which must end as `referred_to`
        says."""
        references = references_in(list(_values(entry)))
        referred = (reference.path[0] for reference in references if reference.scope == "results")
        needs: dict[str, Any] = {**dict.fromkeys(referred, referred_to), **entry.needs}
        return {name: condition for name, condition in needs.items() if name in self._names}

    def _target(self, text: str) -> Target:
        return parse_target(text, self._folder)

    def _absolute(self, path: str) -> str:
        return os.path.normpath(os.path.join(self._folder, path))


def _values(entry: BaseModel) -> Iterator[Any]:
    """Yield every value in `entry`, on each level."""
    for _, value in entry:
        if isinstance(value, BaseModel):
            yield from _values(value)
        else:
            yield value


def pool_size(written: int | str, cpus: int) -> int:
    """Return `cpus` or `cpus - N` as a number of workers, at least 1."""
    if isinstance(written, int):
        return written
    less = re.search(r"\d+", written)
    return max(1, cpus - (int(less.group()) if less else 0))
