"""What the tasks of a step do, including their code: stored for later runs, and compared with earlier ones."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from mprun.language.targets import Target
from mprun.plan.digests import CODE_PARTS, Parts, code_parts, step_digest
from mprun.plan.plan import Plan, PoolStep, Step

if TYPE_CHECKING:
    from mprun.code.closure import Closure, Closures, Modules  # they parse source, which must not delay the first task

CODE_VERSION = 2  # version of the digests of steps; in version 1, the code was the bytes of each target's file
CACHE = "code.json"  # beside the folder of runs


@dataclass
class Work:
    """The digests that identify the work of a step.

    `parts` are the step's digests without its code. `code` is that code by the key that names it, once it is read.
    `files` has the SHA-256 of each target's file, which was all that version 1 of the digests used of the code.
    """

    parts: Parts
    files: dict[str, str]
    code: dict[str, Closure] = field(default_factory=dict)

    @cached_property
    def whole(self) -> Parts:
        """All parts, including those of the code."""
        return self.parts | code_parts({key: _counted(each.modules) for key, each in self.code.items()})

    @cached_property
    def digest(self) -> str:
        return step_digest(self.whole)

    @cached_property
    def first_digest(self) -> str:
        """The digest in version 1."""
        return step_digest(self.parts | code_parts(self.files))

    @property
    def modules(self) -> dict[str, Modules]:
        """The modules of each part that is code, by the name of the part."""
        return {CODE_PARTS[key]: each.modules for key, each in self.code.items() if each.modules}

    def files_since(self, moment: int) -> list[str]:
        """Return the files of the code that may have been different at `moment` (ns since the epoch), by their
        times."""
        return [file for each in self.code.values() for file in each.files_since(moment)]

    def changed_files(self) -> list[str]:
        """Return the files of the code that have changed since they were read."""
        return [file for each in self.code.values() for file in each.changed_files()]


class CodeReader:
    """Reads the code of the steps of `plan`.

    It caches what it finds beside the folder of runs to which `folder` belongs.
    """

    def __init__(self, plan: Plan, folder: str) -> None:
        self._plan = plan
        runs_dir = os.path.dirname(os.path.dirname(os.path.abspath(folder))) if folder else ""
        self._cache = os.path.join(runs_dir, CACHE) if runs_dir else ""
        self._closures: Closures | None = None

    def work(self, step: Step, parts: Parts) -> Work:
        """Return the work of `step`, which has `parts`, without its code."""
        return Work(parts, self._plan.code.get(step.name, {}))

    def read(self, step: Step, work: Work) -> None:
        """Put the code into the `work` of `step`."""
        for _ in self.reading(step, work):
            pass

    def reading(self, step: Step, work: Work) -> Iterator[None]:
        """Put the code into the `work` of `step`, with a stop after each module."""
        for key, target in _targets(step):
            work.code[key] = yield from self._opened().reading(target, step.surroundings.pythonpath)

    def _opened(self) -> Closures:
        if self._closures is None:
            from mprun.code.cache import CodeCache
            from mprun.code.closure import Closures

            self._closures = Closures(CodeCache(self._cache))
        return self._closures


def _counted(modules: Modules) -> list[tuple[str, str]]:
    return sorted(modules.items())


def _targets(step: Step) -> Iterator[tuple[str, Target]]:
    """Yield the targets of `step` that are the user's, by the key that names them."""
    if not step.command:
        yield "target", step.target
    if isinstance(step, PoolStep) and step.initializer is not None:
        yield "initializer", step.initializer
    if isinstance(step, PoolStep) and step.finalizer is not None:
        yield "finalizer", step.finalizer
