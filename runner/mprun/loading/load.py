"""Load a workflow file: read it, check it against the models and the rules, and say everything that is wrong."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from mprun.errors import Diagnostic, WorkflowError
from mprun.loading.diagnose import model_mistakes
from mprun.loading.files import file_mistakes
from mprun.loading.levels import STEP_GROUPS
from mprun.loading.limits import LIMIT_RULES
from mprun.loading.mistakes import Mistake, to_diagnostic
from mprun.loading.read import decode, read_bytes
from mprun.loading.references import reference_mistakes
from mprun.loading.retries import RETRY_RULES
from mprun.loading.rules import DATA_RULES, same_numbers
from mprun.loading.yaml_data import YamlData, read_yaml
from mprun.models.workflow import Workflow
from mprun.places import Path, Places


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a workflow file turned out to be.

    `file` is the path as given, `folder` the absolute folder that holds it, `sha256` that of its bytes (empty if they
    could not be read). `diagnostics` stand in the order of their places; without any, `workflow` is what was written.
    With some, entries with mistakes were left out of it (so a `needs` in it may name a step that is not there), or it
    is None where nothing could be saved.
    """

    file: str
    folder: str
    sha256: str
    places: Places
    workflow: Workflow | None
    diagnostics: tuple[Diagnostic, ...]


def load(file: str) -> Loaded:
    """Load the workflow `file`. Never raises for what is in it, or for its not being there."""
    folder = os.path.dirname(os.path.abspath(file))
    nothing = Loaded(file, folder, "", Places(file, ()), None, ())
    try:
        data = read_bytes(file)
        nothing = replace(nothing, sha256=hashlib.sha256(data).hexdigest())
        return _check(nothing, read_yaml(decode(data, file), file))
    except WorkflowError as error:
        return replace(nothing, diagnostics=_ordered(error.diagnostics))


def _check(nothing: Loaded, read: YamlData) -> Loaded:
    mistakes = [m for m in _mistakes(read, nothing.folder) if not _follows_from(m, read.spoiled)]
    diagnostics = _ordered((*read.diagnostics, *(to_diagnostic(m, read.places) for m in mistakes)))
    wrong = {*read.spoiled, *(mistake.path for mistake in mistakes)}
    return replace(nothing, places=read.places, workflow=_what_is_good(read.data, wrong), diagnostics=diagnostics)


def _mistakes(read: YamlData, folder: str) -> Iterator[Mistake]:
    if read.data is None:
        yield Mistake("no-steps", "the workflow file is empty", (), advice="add `processes:` or `pools:`")
        return
    try:
        Workflow.model_validate(read.data)
    except ValidationError as error:
        yield from model_mistakes(error, read.data)
    if isinstance(read.data, dict):
        for rule in (*DATA_RULES, *RETRY_RULES, *LIMIT_RULES):
            yield from rule(read.data)
        yield from same_numbers(read.data, read.places.text)
        yield from reference_mistakes(read.data)
        yield from file_mistakes(read.data, folder)


def _follows_from(mistake: Mistake, spoiled: frozenset[Path]) -> bool:
    """A value that the YAML reader has complained about is not complained about again."""
    return mistake.path in spoiled


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
