"""What is given for the parameters of a workflow: on the command line, in a file, in variables of the environment."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mprun.errors.exceptions import Diagnostic, Place, UsageError, WorkflowError
from mprun.language.references import VARIABLE_PREFIX
from mprun.loading.read.file import decode, read_bytes
from mprun.loading.read.yaml_data import read_yaml


@dataclass(frozen=True, slots=True)
class Given:
    """One value; `is_text` where everything is text. `source` and `place` tell people where it comes from."""

    name: str
    value: Any
    is_text: bool
    source: str
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class GivenParams:
    """What was given, the weightiest first; `folder` is what relative paths on a command line start from.

    `place` is that of the `include` which gives them, None where they are given to a run.
    """

    values: tuple[Given, ...] = ()
    folder: str = ""
    place: Place | None = None

    def of(self, name: str) -> Given | None:
        return next((given for given in self.values if given.name == name), None)


def given_params(assignments: Iterable[str], file: str, environ: Mapping[str, str]) -> GivenParams:
    """From `-p name=value` texts, a file of them (or none) and the environment. Raises UsageError, WorkflowError."""
    return GivenParams((*_from_options(assignments), *_from_file(file), *_from_variables(environ)), os.getcwd())


def _from_options(assignments: Iterable[str]) -> tuple[Given, ...]:
    found = []
    for text in assignments:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"`-p {text}` is not `-p name=value`")
        found.append(Given(name, value, True, f"-p {name}"))
    return tuple(reversed(found))  # of two the last counts


def _from_file(file: str) -> tuple[Given, ...]:
    if not file:
        return ()
    read = read_yaml(decode(read_bytes(file), file), file)
    if read.diagnostics:
        raise WorkflowError(read.diagnostics)
    if read.data is None:
        return ()
    if not isinstance(read.data, dict):
        told = "a file of parameters is a mapping of names to values"
        raise WorkflowError((Diagnostic("wrong-type", told, read.places.value(())),))
    return tuple(Given(str(name), value, False, file, read.places.value((name,))) for name, value in read.data.items())


def _from_variables(environ: Mapping[str, str]) -> tuple[Given, ...]:
    """Their names are upper case, with `_` for `-`: which parameter is meant is for the workflow to say."""
    return tuple(
        Given(name, value, True, f"the variable {name}")
        for name, value in environ.items()
        if name.startswith(VARIABLE_PREFIX)
    )
