"""Load a workflow file: read it, check it against the models and the rules, and say everything that is wrong."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from mprun.errors.exceptions import Diagnostic, WorkflowError
from mprun.errors.places import Path, Places
from mprun.format.levels import STEP_GROUPS
from mprun.format.workflow import Workflow
from mprun.loading.defaults import diagnostics, with_defaults
from mprun.loading.diagnose import model_mistakes
from mprun.loading.mistakes import Mistake
from mprun.loading.params.inputs import GivenParams
from mprun.loading.read.join import Joined, join, run_wide, same_names, same_saves
from mprun.loading.read.tree import ReadFile, read_tree
from mprun.loading.references.substitute import step_names, substitute
from mprun.loading.rules.around import AROUND_RULES
from mprun.loading.rules.commands import COMMAND_RULES
from mprun.loading.rules.common import DATA_RULES, same_numbers, some_step
from mprun.loading.rules.fan_out import FAN_OUT_RULES
from mprun.loading.rules.files import file_mistakes
from mprun.loading.rules.item_files import item_files, saved_files
from mprun.loading.rules.limits import LIMIT_RULES
from mprun.loading.rules.retries import RETRY_RULES
from mprun.loading.rules.sharing import SHARING_RULES, shared_files
from mprun.loading.rules.sources import SOURCE_RULES
from mprun.loading.rules.target_names import TARGET_RULES, allowed_targets, with_targets
from mprun.planning.build.plan import WorkflowFile

Parts = Mapping[ReadFile, Workflow | None]  # what is good of each file, the included ones first


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a workflow file turned out to be.

    `file` is the path as given. `diagnostics` stand in the order of their places; without any, `workflow` is what was
    written, with the steps of the included files. With some, entries with mistakes were left out of it (so a `needs` in
    it may name a step that is not there), or it is None where nothing could be saved. `files` are the files that it
    was made of, the included ones first. `secrets` are the values of secret parameters by name.
    """

    file: str
    places: Places
    workflow: Workflow | None
    diagnostics: tuple[Diagnostic, ...]
    files: tuple[WorkflowFile, ...] = ()
    secrets: dict[str, str] = field(default_factory=dict)


def load(file: str, given: GivenParams = GivenParams()) -> Loaded:  # noqa: B008 -- frozen
    """Load the workflow `file` with the parameters `given`. Never raises for what is in it, or if it is not there."""
    try:
        files = read_tree(file, given)
    except WorkflowError as error:
        return Loaded(file, Places(file, ()), None, in_order(error.diagnostics, file))
    names = [name for each in files for name in step_names(each.data)]
    for each in files:
        _fill(each, names)
        each.mistakes += [mistake for mistake in _own_mistakes(each) if mistake.path not in each.failed]
    for each, mistake in same_saves(files):
        each.mistakes.append(mistake)
    joined = join(files)
    joint = [found for found in _joint_mistakes(joined.data) if found.path not in joined.owner(found.path).failed]
    parts = {each: _what_is_good(each, joined, joint) for each in files}
    for each in files:
        each.mistakes += [*same_names(each, joined), *_run_wide(each, parts)]
    told = [found for each in files for found in (*each.diagnostics, *diagnostics(each.mistakes, each.read.places))]
    return Loaded(
        file,
        joined.places,
        _whole(parts),
        in_order((*told, *diagnostics(joint, joined.places)), file),
        tuple(_workflow_file(each, part) for each, part in parts.items() if part is not None),
        {name: secret for each in files for name, secret in each.params.secrets.items()},
    )


def _fill(file: ReadFile, names: Sequence[str]) -> None:
    """Put values in the place of references, targets in that of short names, and defaults under the steps."""
    if not isinstance(file.data, dict):
        return
    filled = substitute(file.data, file.params, os.environ, names)
    file.substituted = filled.written.keys()
    file.data, failed = with_targets(file.take(filled))
    file.failed |= failed
    file.data = with_defaults(file.data, file.read.places, file.failed)


def _own_mistakes(file: ReadFile) -> Iterator[Mistake]:
    """What is wrong with a file, whatever the others hold."""
    if file.data is None:
        yield Mistake("no-steps", "the workflow file is empty", (), advice="add `processes:` or `pools:`")
        return
    try:
        Workflow.model_validate(file.data)
    except ValidationError as error:
        yield from model_mistakes(error, file.data)
    if isinstance(file.data, dict):
        for rule in (some_step, *TARGET_RULES):
            yield from rule(file.data)
        yield from same_numbers(file.data, file.read.places.text, file.substituted)
        for files in (file_mistakes, item_files, saved_files, shared_files):
            yield from files(file.data, file.folder)


RULES_OF_STEPS = (
    *DATA_RULES,
    *AROUND_RULES,
    *COMMAND_RULES,
    *SOURCE_RULES,
    *FAN_OUT_RULES,
    *RETRY_RULES,
    *LIMIT_RULES,
    *SHARING_RULES,
)


def _joint_mistakes(data: Any) -> Iterator[Mistake]:
    """What is wrong with steps, which may concern one another across files."""
    if isinstance(data, dict):
        for rule in RULES_OF_STEPS:
            yield from rule(data)


def _what_is_good(file: ReadFile, joined: Joined, joint: Iterable[Mistake]) -> Workflow | None:
    """The workflow without the steps and the top-level keys that hold a mistake, nor steps that another file has."""
    wrong = {mistake.path for mistake in joint if joined.owner(mistake.path) is file}
    wrong |= file.failed | {mistake.path for mistake in file.mistakes}
    data = file.data
    if not isinstance(data, dict) or () in wrong:
        return None
    tops = {path[0] for path in wrong if not _in_a_step(path, data)}
    steps = {path[:2] for path in wrong if _in_a_step(path, data)}
    good = {key: value for key, value in data.items() if key not in tops}
    for group in good.keys() & STEP_GROUPS.keys():
        mine = {name: entry for name, entry in good[group].items() if joined.owner((group, name)) is file}
        good[group] = {name: entry for name, entry in mine.items() if (group, name) not in steps}
    try:
        return Workflow.model_validate(good)
    except ValidationError:
        return None


def _in_a_step(path: Path, data: dict[Any, Any]) -> bool:
    return len(path) > 1 and path[0] in STEP_GROUPS and isinstance(data.get(path[0]), dict)


def _run_wide(file: ReadFile, parts: Parts) -> Iterator[Mistake]:
    *_, (main, of_run) = parts.items()
    part = parts[file]
    if file is not main and part is not None and of_run is not None:
        yield from run_wide(file, part, main, of_run)


def _whole(parts: Parts) -> Workflow | None:
    """The last one, with the steps of all."""
    *included, main = parts.values()
    if main is None:
        return None
    files = [*(part for part in included if part is not None), main]
    steps = {group: {k: v for part in files for k, v in getattr(part, group).items()} for group in STEP_GROUPS}
    return main.model_copy(update=steps)


def _workflow_file(file: ReadFile, part: Workflow) -> WorkflowFile:
    lists = [allowed_targets(each.data, each.folder) for each in file.trail]
    allowed = tuple(targets for targets in lists if targets is not None)
    return WorkflowFile(file.file, file.sha256, part, file.read.places, file.params.values, allowed)


def in_order(found: Iterable[Diagnostic], main: str) -> tuple[Diagnostic, ...]:
    """Each once: first what has no place, then what is wrong with the file `main`, then the others, from the top."""

    def position(diagnostic: Diagnostic) -> tuple[str, int, int]:
        place = diagnostic.place
        return ("" if place.file == main else place.file, place.line, place.column) if place else ("", 0, 0)

    return tuple(sorted(dict.fromkeys(found), key=position))
