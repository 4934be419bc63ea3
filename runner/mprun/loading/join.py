"""The stage that joins the files of a workflow: the steps of all files, each with the places in its own file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from mprun.errors.places import JoinedPlaces, Path
from mprun.format.levels import STEP_GROUPS
from mprun.loading.mistakes import Found, Mistake, short
from mprun.loading.rules.files import is_path
from mprun.loading.source_files import SourceFile, SourceFiles, each_file
from mprun.loading.stages import Output


class Joined(NamedTuple):
    """The joined files. `data` is the data of the main file with the steps of all files.

    `owners` maps the path of each step to the number of its file. `faulty` are the paths of mistakes in the joined
    data.
    """

    files: SourceFiles
    data: Any
    owners: Mapping[Path, int]
    faulty: frozenset[Path] = frozenset()

    def owner(self, path: Path) -> SourceFile:
        return self.files[self.owners.get(path[:2], -1)]

    @property
    def places(self) -> JoinedPlaces:
        of_steps = {path: self.files[number].places for path, number in self.owners.items()}
        return JoinedPlaces(self.files[-1].places, of_steps)


def join(files: SourceFiles) -> Output[Joined, Found]:
    """Join the files. Of two steps with the same name, the first counts."""
    owners: dict[Path, int] = {}
    for number, file in enumerate(files):
        for path, _ in _steps(file.data):
            owners.setdefault(path, number)
    saves = _saves(files)
    joined = Joined(files, _joined_data(files, owners), owners)
    marked, found = each_file(files, lambda file: file.report((*_same_saves(file, saves), *_same_names(file, joined))))
    return Output(Joined(marked, joined.data, owners), found)


def _joined_data(files: SourceFiles, owners: Mapping[Path, int]) -> Any:
    groups: dict[str, dict[Any, Any]] = {}
    for number, file in enumerate(files):
        for path, entry in _steps(file.data):
            if owners[path] == number:
                groups.setdefault(str(path[0]), {})[path[1]] = entry
    data = files[-1].data
    if not isinstance(data, dict):
        return data
    return {**data, **{group: steps for group, steps in groups.items() if isinstance(data.get(group, {}), dict)}}


def _same_names(file: SourceFile, joined: Joined) -> Iterator[Mistake]:
    """Yield the steps of `file` whose name an earlier file uses."""
    for path, _ in _steps(file.data):
        owner = joined.owner(path)
        if owner is not file:
            message = f"`{short(path[1])}` names a step in another file too; each step has its own name"
            notes = (f"the first is at {owner.places.key(path)}",)
            yield Mistake("duplicate-name", message, path, "key", notes=notes)


_Saves = dict[str, tuple[SourceFile, Path]]  # by the file for the results, the first step that saves to it


def _saves(files: SourceFiles) -> _Saves:
    first: _Saves = {}
    for file in files:
        for path, saved, _ in _saved(file):
            first.setdefault(saved, (file, path))
    return first


def _same_saves(file: SourceFile, first: _Saves) -> Iterator[Mistake]:
    """Yield the steps of `file` that save to the file of a step in an earlier file."""
    for path, saved, written in _saved(file):
        other, there = first[saved]
        if other is not file:
            message = f"a step in another file saves to `{short(written, 80)}` too"
            yield Mistake("saved-twice", message, path, notes=(f"the first is at {other.places.key(there)}",))


def _saved(file: SourceFile) -> Iterator[tuple[Path, str, str]]:
    """Yield where steps save: the path of each `save`, the file that it names, and how it is written."""
    for path, entry in _steps(file.data):
        written = entry.get("save") if isinstance(entry, dict) else None
        if is_path(written):
            yield (*path, "save"), os.path.normpath(os.path.join(file.folder, written)), written


def _steps(data: Any) -> Iterator[tuple[Path, Any]]:
    for group in STEP_GROUPS:
        entries = data.get(group) if isinstance(data, dict) else None
        for name, entry in entries.items() if isinstance(entries, dict) else ():
            yield (group, name), entry
