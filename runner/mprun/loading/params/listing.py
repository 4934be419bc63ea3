"""The parameters of a workflow for people: what each takes, and how to pass it."""

from __future__ import annotations

import os
from collections.abc import Iterator

from mprun.errors.exceptions import WorkflowError
from mprun.format.params import ParamEntry
from mprun.format.values import read_param
from mprun.language.references import variable_name, written_out
from mprun.loading.mistakes import in_order, short
from mprun.loading.params.inputs import ParamInputs
from mprun.loading.params.resolve import parameters
from mprun.loading.params.values import item_type, type_of
from mprun.loading.read.include import read
from mprun.loading.source_files import Request
from mprun.loading.stages import run_stages
from mprun.planning.show.table import aligned

_COLUMNS = ("parameter", "type", "default", "takes", "variable", "description")


def list_params(file: str) -> str:
    """Return a table of the parameters that the workflow `file` declares. Raises WorkflowError.

    The parameters need no values for this, and other mistakes in the file don't matter.
    """
    inputs = ParamInputs(folder=os.getcwd())
    source, found = run_stages((read, parameters), Request(file, inputs, inputs, dict(os.environ)))
    if source is None:
        raise WorkflowError(tuple(each.diagnostic for each in found))
    declared = source.data.get("params") if isinstance(source.data, dict) else None
    wrong = [each for each in found if each.path is not None]
    if wrong or not (declared is None or isinstance(declared, dict)):
        raise WorkflowError(in_order((each.diagnostic for each in wrong or found), file))
    if not declared:
        return f"{file} has no parameters\n"
    rows = [_row(name, ParamEntry.model_validate(read_param(written))) for name, written in declared.items()]
    return f"{_table([_COLUMNS, *rows])}\n\ngive them with -p NAME=VALUE, --params FILE, or by their variables\n"


def _row(name: str, entry: ParamEntry) -> tuple[str, ...]:
    kind = type_of(entry)
    written = f"list of {item_type(entry)}" if kind == "list" else kind
    about = " ".join(entry.description.split())
    return name, written, _default(entry), ", ".join(_takes(entry)), variable_name(name), about


def _default(entry: ParamEntry) -> str:
    if "default" in entry.model_fields_set:
        return short(written_out(entry.default))
    return "null" if entry.required is False else "(required)"


def _takes(entry: ParamEntry) -> Iterator[str]:
    if entry.secret:
        yield "a secret"
    if entry.choices:
        yield short(" | ".join(map(written_out, entry.choices)), 60)
    if entry.minimum is not None:
        yield f"at least {entry.minimum}"
    if entry.maximum is not None:
        yield f"at most {entry.maximum}"
    if entry.pattern:
        yield f"matches {short(entry.pattern)}"


def _table(rows: list[tuple[str, ...]]) -> str:
    columns = [column for column in zip(*rows, strict=True) if any(column[1:])]
    return aligned(list(zip(*columns, strict=True)))
