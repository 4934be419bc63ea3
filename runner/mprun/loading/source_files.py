"""The values that stages of loading pass on: what to load, and each file in its current state."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from mprun.errors.places import Path, Places
from mprun.format.workflow import Workflow
from mprun.loading.mistakes import Found, Mistake, locate
from mprun.loading.params.inputs import ParamInputs
from mprun.loading.stages import Output


class Request(NamedTuple):
    """A file to load, and what it may refer to. `including` are the files that lead to it, the main file first.

    `inputs` are the values for its parameters. `run_inputs` are those of the whole run, which have the secrets.
    """

    file: str
    inputs: ParamInputs
    run_inputs: ParamInputs
    environ: Mapping[str, str]
    including: tuple[str, ...] = ()


class Params(NamedTuple):
    """The parameters of a file: `values` by name, `secrets` apart, and `broken` ones, whose mistake is reported."""

    values: Mapping[str, Any] = MappingProxyType({})
    secrets: Mapping[str, str] = MappingProxyType({})
    broken: frozenset[str] = frozenset()

    @property
    def names(self) -> list[str]:
        return [*self.values, *self.secrets, *self.broken]


class SourceFile(NamedTuple):
    """One file of a workflow. Each stage returns a new one, with other `data` or more `faulty` paths.

    A mistake is reported at each path in `faulty`; the workflow is made without these. Each path in `broken` holds a
    value that could not be determined; no rule reports a further mistake there. `referring` are the paths of values
    that were written with references. `workflow` is the model of `data`, None if the model rejects it.
    """

    request: Request
    sha256: str
    data: Any
    places: Places
    params: Params = Params()
    broken: frozenset[Path] = frozenset()
    faulty: frozenset[Path] = frozenset()
    referring: frozenset[Path] = frozenset()
    workflow: Workflow | None = None

    @property
    def file(self) -> str:
        return self.request.file

    @property
    def folder(self) -> str:
        return os.path.dirname(os.path.abspath(self.file))

    @property
    def trail(self) -> tuple[str, ...]:
        """The main file, and each file that leads from it to this one."""
        return (*self.request.including, self.file)

    def report(self, mistakes: Iterable[Mistake], broken: Iterable[Path] = ()) -> FileOutput:
        """Return this file, marked with `mistakes` and with the paths that are `broken`."""
        found = tuple(locate(mistake, self.places, self.file) for mistake in mistakes)
        faulty = self.faulty.union(each.path for each in found if each.path is not None)
        return Output(self._replace(faulty=faulty, broken=self.broken.union(broken)), found)


SourceFiles = tuple[SourceFile, ...]  # each after the files that it includes; the main file is last
FileOutput = Output[SourceFile, Found]
FilesOutput = Output[SourceFiles, Found]


def anything(file: SourceFile) -> bool:
    return True


def a_mapping(file: SourceFile) -> bool:
    return isinstance(file.data, dict)


def each_file(
    files: SourceFiles,
    change: Callable[[SourceFile], FileOutput],
    needs: Callable[[SourceFile], bool] = anything,
) -> FilesOutput:
    """Return the files with `change` applied to each. A file for which `needs` is false stays as it is."""
    outputs = [change(file) if needs(file) else Output(file) for file in files]
    return Output(tuple(each.value for each in outputs), tuple(found for each in outputs for found in each.mistakes))
