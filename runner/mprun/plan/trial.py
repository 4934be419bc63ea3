"""A trial runs a part of a workflow and leaves the real files unchanged. Decides where its files go."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from mprun.language.references import Reference, Template
from mprun.plan.plan import Plan, ProcessStep, Step, when
from mprun.system.whole_file import is_special

WRITTEN = ("save", "stdout", "stderr")  # the fields of a step that name a file for it to write


@dataclass(frozen=True, slots=True)
class Trial:
    """The places of a trial's files. All paths are absolute.

    A file below `base`, the workflow's folder, goes below `folder`; any other file goes below a folder beside that. A
    file in `own`, the run's folder, stays, because it belongs to the run anyway, and so does a device: /dev/null.
    """

    folder: str
    base: str
    own: str = ""

    def path(self, real: str) -> str:
        """Return the path of the trial's file that replaces the file `real`."""
        if (self.own and _is_below(real, self.own)) or is_special(real):
            return real
        if _is_below(real, self.base):
            return os.path.normpath(os.path.join(self.folder, os.path.relpath(real, self.base)))
        return os.path.join(self._outside, real.lstrip("/"))

    def real(self, path: str) -> str:
        """Return the real file that the trial leaves unchanged by writing `path`; empty if `path` is real."""
        for folder, base in ((self.folder, self.base), (self._outside, "/")):
            if _is_below(path, folder):
                return os.path.join(base, os.path.relpath(path, folder))
        return ""

    @property
    def _outside(self) -> str:
        return f"{self.folder}-outside"


def _is_below(path: str, folder: str) -> bool:
    return f"{path}/".startswith(f"{folder.rstrip('/')}/")


def is_trial(plan: Plan) -> bool:
    """Return whether `plan` has only some items or cells of its steps, as `--first N` and `--only STEP@CELL`
    request."""
    return plan.first > 0 or any("@" in address for address in plan.only)


def diverts(plan: Plan) -> bool:
    """Return whether a run of `plan` is a trial that writes files."""
    return is_trial(plan) and any(any(written_by(step)) for step in plan.steps)


def written_by(step: Step) -> Iterator[Any]:
    """Return the names of the files that `step` writes: paths, or Templates of paths."""
    return (getattr(step, name) for name in WRITTEN if getattr(step, name))


class ReadBefore(Protocol):
    """An earlier run."""

    @property
    def diverted(self) -> bool:
        """Whether it was a trial that wrote files."""


def may_reuse(plan: Plan, earlier: ReadBefore) -> bool:
    """Return whether a run of `plan` may reuse tasks of `earlier`.

    A full run reuses no tasks of a trial that wrote files, because its files lie elsewhere.
    """
    return is_trial(plan) or not earlier.diverted


def diverted(plan: Plan, trial: Trial) -> Plan:
    """Return `plan`, whose paths are all known, with the trial's files instead of the real ones.

    Steps write these files, and later steps read them if they name one as their source.
    """
    steps = (_writing(_reading(step, trial, _paths_before(plan, step)), trial) for step in plan.steps)
    return replace(plan, steps=tuple(steps))


def _writing(step: Step, trial: Trial) -> Step:
    folder = step.surroundings.working_dir
    written = {name: path for name in WRITTEN if (path := getattr(step, name))}
    changes: dict[str, Any] = {name: _elsewhere(path, trial, folder) for name, path in written.items()}
    return replace(step, **changes)


def _elsewhere(path: str | Reference | Template, trial: Trial, folder: str) -> str | Template:
    """Return where the trial writes `path`. Text that begins with a reference starts from `folder`."""
    if isinstance(path, str):
        return trial.path(path)
    first, *rest = path.parts if isinstance(path, Template) else (path,)
    begins = os.path.join(folder, "") if isinstance(first, Reference) else first
    parent, name = os.path.split(begins)
    further = [first, *rest] if isinstance(first, Reference) else rest
    return Template((os.path.join(trial.path(parent), name), *further))


def _reading(step: Step, trial: Trial, paths: frozenset[str]) -> Step:
    if not paths:
        return step
    stand_ins = StandIns(trial, paths)
    inputs = (stand_ins.file(path) if isinstance(path, str) else path for path in step.inputs)
    step = replace(step, inputs=tuple(inputs))
    if isinstance(step, ProcessStep):
        return step if step.cells is None else replace(step, cells=step.cells.redirected(stand_ins))
    return replace(step, source=step.source.redirected(stand_ins))


@dataclass(frozen=True, slots=True)
class StandIns:
    """The trial's files for those in `paths`: see `sources.source.Redirection`."""

    trial: Trial
    paths: frozenset[str]

    def file(self, path: str) -> str:
        return self.trial.path(path) if path in self.paths else path

    def folder(self, path: str) -> str:
        return self.trial.path(path)


def _paths_before(plan: Plan, step: Step) -> frozenset[str]:
    return frozenset(
        path for earlier in steps_before(plan, step) for path in written_by(earlier) if isinstance(path, str)
    )


def steps_before(plan: Plan, step: Step) -> list[Step]:
    """Return the steps that have ended when `step` starts: its needs and theirs; for a step around a run, all."""
    needs = {each.name: each.needs for each in plan.steps}
    found = _needed_by(step.name, needs)
    return [each for each in plan.steps if each.name in found or (when(step) and not when(each))]


def _needed_by(name: str, needs: Mapping[str, Mapping[str, Any]]) -> set[str]:
    found: set[str] = set()
    waiting = list(needs[name])
    while waiting:
        need = waiting.pop()
        if need not in found:
            found.add(need)
            waiting += needs[need]
    return found
