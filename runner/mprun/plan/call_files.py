"""The files that a call reads and writes, as its step names them: `inputs`, `outputs` and a command's streams."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mprun.language.references import Reference, Template, references_in, written_out
from mprun.plan.plan import Step
from mprun.system.whole_file import is_special

GLOB_CHARACTERS = frozenset("*?[")

Evaluate = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class CallFiles:
    """Those of each call of the step `step`: texts, or what makes them of an item.

    `inputs` may be patterns. `outputs` are (path, whether it may be as before the call). Relative paths start from
    `folder`. `notes` is the file in which a call that has returned notes what its files were; empty for none.
    """

    step: str
    folder: str
    inputs: tuple[str | Reference | Template, ...]
    outputs: tuple[tuple[str | Reference | Template, bool], ...]
    notes: str = ""

    def of_call(self, evaluate: Evaluate) -> FilesOfCall:
        """Those of one call, where `evaluate` puts in the values of its references. No call makes /dev/null."""
        inputs = tuple(self._path(evaluate(path)) for path in self.inputs)
        outputs = [(self._path(evaluate(path)), same) for path, same in self.outputs]
        return FilesOfCall(self.step, inputs, tuple(each for each in outputs if not is_special(each[0])))

    def _path(self, value: Any) -> str:
        text = os.fspath(value) if isinstance(value, os.PathLike) else written_out(value)
        return os.path.normpath(os.path.join(self.folder, text))


@dataclass(frozen=True, slots=True)
class FilesOfCall:
    """Absolute paths: `inputs`, which may be patterns, and `outputs` with whether each may be as before the call."""

    step: str
    inputs: tuple[str, ...]
    outputs: tuple[tuple[str, bool], ...]

    @property
    def key(self) -> str:
        """What a call's note is found by: the same for the same files of the same step."""
        return "\n".join((self.step, *self.inputs, "", *(path for path, _ in self.outputs)))

    def read(self) -> Iterator[str]:
        """The files that are inputs; a path as it is where there is no such file."""
        for path in self.inputs:
            matches = sorted(glob.glob(path, recursive=True)) if GLOB_CHARACTERS & set(path) else []
            yield from matches or [path]

    def written(self) -> list[str]:
        return [path for path, _ in self.outputs]


def files_of(step: Step, notes: str) -> CallFiles | None:
    """The files of the calls of `step`; None for a step that names none."""
    streams = [(path, False) for path in (step.stdout, step.stderr) if path]
    if not step.inputs and not step.outputs and not streams:
        return None
    return CallFiles(step.name, step.surroundings.working_dir, step.inputs, (*step.outputs, *streams), notes)


def refers(paths: Sequence[Any]) -> bool:
    """Whether any of `paths` depends on an item."""
    return any(references_in(list(paths)))
