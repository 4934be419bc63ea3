"""The files of a workflow as one: their steps under one roof, each with its own file's places."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mprun.errors.places import JoinedPlaces, Path
from mprun.format.levels import STEP_GROUPS
from mprun.format.workflow import Workflow
from mprun.loading.mistakes import Mistake, short
from mprun.loading.read.tree import ReadFile
from mprun.loading.rules.files import is_path

# What an included file can't say for itself.
RUN_WIDE = ("start_method", "engine", "max_parallel", "fail_fast", "timeout", "log", "grace_period", "shared")


@dataclass(frozen=True, slots=True)
class Joined:
    """`data` is that of the last file with the steps of all; `owners` are the files that steps stand in."""

    data: Any
    main: ReadFile
    owners: dict[Path, ReadFile]

    def owner(self, path: Path) -> ReadFile:
        return self.owners.get(path[:2], self.main)

    @property
    def places(self) -> JoinedPlaces:
        return JoinedPlaces(self.main.read.places, {path: file.read.places for path, file in self.owners.items()})


def join(files: Sequence[ReadFile]) -> Joined:
    """The last of `files` with the steps of all; of two steps with the same name, the first counts."""
    main, owners = files[-1], dict[Path, ReadFile]()
    groups: dict[str, dict[Any, Any]] = {}
    for file in files:
        for path, entry in _steps(file.data):
            if path not in owners:
                owners[path] = file
                groups.setdefault(str(path[0]), {})[path[1]] = entry
    if not isinstance(main.data, dict):
        return Joined(main.data, main, owners)
    well_formed = {group: steps for group, steps in groups.items() if isinstance(main.data.get(group, {}), dict)}
    return Joined({**main.data, **well_formed}, main, owners)


def same_names(file: ReadFile, joined: Joined) -> Iterator[Mistake]:
    """Steps of `file` that another file has under the same name."""
    for path, _ in _steps(file.data):
        owner = joined.owner(path)
        if owner is not file:
            told = f"`{short(path[1])}` names a step in another file too; each step has its own name"
            yield Mistake(
                "duplicate-name", told, path, "key", notes=(f"the first is at {owner.read.places.key(path)}",)
            )


def same_saves(files: Sequence[ReadFile]) -> Iterator[tuple[ReadFile, Mistake]]:
    """Steps that save where a step of an earlier file does."""
    first: dict[str, tuple[ReadFile, Path]] = {}
    for file in files:
        mine = {(*path, "save"): entry.get("save") for path, entry in _steps(file.data) if isinstance(entry, dict)}
        saved = {path: os.path.normpath(os.path.join(file.folder, to)) for path, to in mine.items() if is_path(to)}
        for path, to in saved.items():
            other, there = first.setdefault(to, (file, path))
            if other is not file:
                told = f"a step in another file saves to `{short(mine[path], 80)}` too"
                notes = (f"the first is at {other.read.places.key(there)}",)
                yield file, Mistake("saved-twice", told, path, notes=notes)


def run_wide(file: ReadFile, written: Workflow, main: ReadFile, of_run: Workflow) -> Iterator[Mistake]:
    """What an included file says about the whole run, where it isn't what the first file says."""
    for key in RUN_WIDE:
        if key in written.model_fields_set and getattr(written, key) != getattr(of_run, key):
            told = f"`{key}` is for the whole run, and stands in the file that is run"
            advice = f"{main.file} {'says otherwise' if key in of_run.model_fields_set else 'has none'}"
            yield Mistake("no-effect", told, (key,), "key", advice)


def _steps(data: Any) -> Iterator[tuple[Path, Any]]:
    for group in STEP_GROUPS:
        entries = data.get(group) if isinstance(data, dict) else None
        for name, entry in entries.items() if isinstance(entries, dict) else ():
            yield (group, name), entry
