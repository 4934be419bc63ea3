"""Load a workflow file: read it, check it against the models and the rules, and say everything that is wrong."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from mprun.errors import Diagnostic, WorkflowError
from mprun.loading.defaults import diagnostics, with_defaults
from mprun.loading.diagnose import model_mistakes
from mprun.loading.files import file_mistakes
from mprun.loading.given import GivenParams
from mprun.loading.levels import STEP_GROUPS
from mprun.loading.limits import LIMIT_RULES
from mprun.loading.mistakes import Mistake
from mprun.loading.params import Params, read_params
from mprun.loading.read import decode, read_bytes
from mprun.loading.retries import RETRY_RULES
from mprun.loading.rules import DATA_RULES, same_numbers
from mprun.loading.substitute import Substitution, substitute, substitute_params
from mprun.loading.yaml_data import YamlData, read_yaml
from mprun.models.workflow import Workflow
from mprun.places import Path, Places


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a workflow file turned out to be.

    `file` is the path as given, `folder` the absolute folder that holds it, `sha256` that of its bytes (empty if they
    could not be read). `diagnostics` stand in the order of their places; without any, `workflow` is what was written.
    With some, entries with mistakes were left out of it (so a `needs` in it may name a step that is not there), or it
    is None where nothing could be saved. `params` are the values of the parameters by name, `secrets` those
    of the secret ones.
    """

    file: str
    folder: str
    sha256: str
    places: Places
    workflow: Workflow | None
    diagnostics: tuple[Diagnostic, ...]
    params: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)


def load(file: str, given: GivenParams = GivenParams()) -> Loaded:  # noqa: B008 -- frozen
    """Load the workflow `file` with the parameters `given`. Never raises for what is in it, or if it is not there."""
    folder = os.path.dirname(os.path.abspath(file))
    nothing = Loaded(file, folder, "", Places(file, ()), None, ())
    try:
        data = read_bytes(file)
        nothing = replace(nothing, sha256=hashlib.sha256(data).hexdigest())
        return _check(nothing, read_yaml(decode(data, file), file), given)
    except WorkflowError as error:
        return replace(nothing, diagnostics=_ordered(error.diagnostics))


def _check(nothing: Loaded, read: YamlData, given: GivenParams) -> Loaded:
    filled, params = _fill(read.data, given)
    if isinstance(filled.data, dict):
        filled.data = with_defaults(filled.data, read.places, read.spoiled | filled.failed)
    spoiled = read.spoiled | filled.failed
    mistakes = [m for m in _mistakes(filled.data, read, nothing.folder, filled.written) if m.path not in spoiled]
    mistakes += [*params.mistakes, *filled.mistakes]
    told = diagnostics(mistakes, filled.data, read.places)
    wrong = {*spoiled, *(mistake.path for mistake in mistakes)}
    return replace(
        nothing,
        places=read.places,
        workflow=_what_is_good(filled.data, wrong),
        diagnostics=_ordered((*read.diagnostics, *params.diagnostics, *told)),
        params=params.values,
        secrets=params.secrets,
    )


def _fill(data: Any, given: GivenParams) -> tuple[Substitution, Params]:
    """`data` with its parameters' values in place of what refers to them."""
    if not isinstance(data, dict):
        return Substitution(data), Params()
    declared = substitute_params(data, os.environ)
    params = read_params(declared.data, given)
    filled = substitute({**data, "params": declared.data} if "params" in data else data, params, os.environ)
    filled.mistakes += declared.mistakes
    filled.failed |= declared.failed
    return filled, params


def _mistakes(data: Any, read: YamlData, folder: str, substituted: Container[Path]) -> Iterator[Mistake]:
    if data is None:
        yield Mistake("no-steps", "the workflow file is empty", (), advice="add `processes:` or `pools:`")
        return
    try:
        Workflow.model_validate(data)
    except ValidationError as error:
        yield from model_mistakes(error, data)
    if isinstance(data, dict):
        for rule in (*DATA_RULES, *RETRY_RULES, *LIMIT_RULES):
            yield from rule(data)
        yield from same_numbers(data, read.places.text, substituted)
        yield from file_mistakes(data, folder)


def _what_is_good(data: Any, wrong: set[Path]) -> Workflow | None:
    """The workflow without the steps and the top-level keys that hold a mistake."""
    if not isinstance(data, dict) or () in wrong:
        return None
    tops = {path[0] for path in wrong if not _in_a_step(path, data)}
    steps = {path[:2] for path in wrong if _in_a_step(path, data)}
    good = {key: value for key, value in data.items() if key not in tops}
    for group in good.keys() & STEP_GROUPS.keys():
        good[group] = {name: entry for name, entry in good[group].items() if (group, name) not in steps}
    try:
        return Workflow.model_validate(good)
    except ValidationError:
        return None


def _in_a_step(path: Path, data: dict[Any, Any]) -> bool:
    return len(path) > 1 and path[0] in STEP_GROUPS and isinstance(data.get(path[0]), dict)


def _ordered(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    def place(diagnostic: Diagnostic) -> tuple[int, int]:
        return (diagnostic.place.line, diagnostic.place.column) if diagnostic.place else (0, 0)

    return tuple(sorted(dict.fromkeys(diagnostics), key=place))
