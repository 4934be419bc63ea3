"""Parameter inputs: values from the command line, a file, environment variables, and an `include`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from mprun.errors.exceptions import Diagnostic, Place, UsageError, WorkflowError
from mprun.language.references import VARIABLE_PREFIX
from mprun.loading.read.file import decode, read_bytes
from mprun.loading.read.yaml_data import read_yaml

OF_VARIABLE, OF_RUN = "the variable", "the run"  # how the sources begin that may be meant for another workflow


class ParamInput(NamedTuple):
    """One value. `is_text` says that its origin has only text. `source` and `place` say where it comes from."""

    name: str
    value: Any
    is_text: bool
    source: str
    place: Place | None = None


class ParamInputs(NamedTuple):
    """The inputs of a run, or of an included file. The first input with a name counts.

    Relative paths on a command line start from `folder`. `place` is the place of the `include`, None for a run.
    """

    values: tuple[ParamInput, ...] = ()
    folder: str = ""
    place: Place | None = None

    def of(self, name: str) -> ParamInput | None:
        return next((value for value in self.values if value.name == name), None)


def param_inputs(assignments: Iterable[str], file: str, environ: Mapping[str, str]) -> ParamInputs:
    """Return inputs from texts `name=value`, from a `file` (or none), and from the environment.

    Raises UsageError, WorkflowError.
    """
    return ParamInputs((*_from_options(assignments), *_from_file(file), *_from_variables(environ)), os.getcwd())


def _from_options(assignments: Iterable[str]) -> tuple[ParamInput, ...]:
    found = []
    for text in assignments:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"`-p {text}` is not `-p name=value`")
        found.append(ParamInput(name, value, True, f"-p {name}"))
    return tuple(reversed(found))  # of two with the same name, the last counts


def _from_file(file: str) -> tuple[ParamInput, ...]:
    if not file:
        return ()
    read = read_yaml(decode(read_bytes(file), file), file)
    if read.diagnostics:
        raise WorkflowError(read.diagnostics)
    if read.data is None:
        return ()
    if not isinstance(read.data, dict):
        message = "a file of parameters is a mapping of names to values"
        raise WorkflowError((Diagnostic("wrong-type", message, read.places.value(())),))
    return tuple(
        ParamInput(str(name), value, False, file, read.places.value((name,))) for name, value in read.data.items()
    )


def _from_variables(environ: Mapping[str, str]) -> tuple[ParamInput, ...]:
    """Return inputs from variables. Their names are upper case with `_` for `-`; the workflow decides which they
    mean."""
    return tuple(
        ParamInput(name, value, True, f"{OF_VARIABLE} {name}")
        for name, value in environ.items()
        if name.startswith(VARIABLE_PREFIX)
    )
