"""The stage for `defaults`: it merges them into every step that can have the key and doesn't set it."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from mprun.errors.places import Path
from mprun.format.levels import STEP_GROUPS
from mprun.format.steps import DefaultsEntry
from mprun.loading.rules.common import Data, StepData, steps
from mprun.loading.rules.limits import ENDLESS
from mprun.loading.source_files import FileOutput, FilesOutput, SourceFile, SourceFiles, a_mapping, each_file
from mprun.loading.stages import Output


def inherit_defaults(files: SourceFiles) -> FilesOutput:
    """Merge the valid defaults into each step, and into the places of its keys."""
    return each_file(files, _with_defaults, needs=a_mapping)


def _with_defaults(file: SourceFile) -> FileOutput:
    good = _good(file.data.get("defaults"), {path[1] for path in file.broken if path[:1] == ("defaults",) and path[1:]})
    if not good:
        return Output(file)
    merged: Data = dict(file.data)
    links: dict[Path, Path] = {}
    for step in steps(file.data):
        inherited = {key: value for key, value in good.items() if key not in step.entry and _can_have(step, key)}
        group = step.path[0]
        merged[group] = {**merged[group], step.name: {**inherited, **step.entry}}
        links |= {(*step.path, key): ("defaults", key) for key in inherited}
    return Output(file._replace(data=merged, places=file.places.with_links(links)))


def _good(written: Any, broken: set[Any]) -> Data:
    if not isinstance(written, dict):
        return {}
    try:
        DefaultsEntry.model_validate(written)
        wrong: set[Any] = set()
    except ValidationError as error:
        wrong = {details["loc"][0] for details in error.errors(include_url=False, include_input=False)}
    return {key: value for key, value in written.items() if key not in wrong | broken}


def _can_have(step: StepData, key: str) -> bool:
    endless = step.entry.get("daemon") is True and key in ENDLESS
    one_task = "apply" in step.entry and key == "chunksize"
    return key in STEP_GROUPS[str(step.path[0])].keys and not endless and not one_task
