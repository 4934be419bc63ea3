"""The stage that joins the files of a workflow: the steps of all files, each with the places in its own file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from mprun.errors.places import JoinedPlaces, Path
from mprun.format.levels import STEP_GROUPS
from mprun.loading.mistakes import Found, Mistake, short
from mprun.loading.rules.common import steps
from mprun.loading.rules.files import is_path
from mprun.loading.rules.outputs import outputs_of
from mprun.loading.source_files import SourceFile, SourceFiles, each_file
from mprun.loading.stages import Output
from mprun.system.whole_file import is_special


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
    written = _first_written(files)
    joined = Joined(files, _joined_data(files, owners), owners)
    marked, found = each_file(
        files, lambda file: file.report((*_same_files(file, written), *_same_names(file, joined)))
    )
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


_FirstWritten = dict[str, tuple[SourceFile, Path]]  # by the file that a step writes, the first step that does


def _first_written(files: SourceFiles) -> _FirstWritten:
    first: _FirstWritten = {}
    for file in files:
        for path, written, _ in _written(file):
            first.setdefault(written, (file, path))
    return first


def _same_files(file: SourceFile, first: _FirstWritten) -> Iterator[Mistake]:
    """Yield the steps of `file` that write the file of a step in an earlier file."""
    for path, absolute, written in _written(file):
        other, there = first[absolute]
        if other is not file:
            both_save = path[-1] == there[-1] == "save"
            code, does = ("saved-twice", "saves to") if both_save else ("written-twice", "writes")
            message = f"a step in another file {does} `{short(written, 80)}` too"
            yield Mistake(code, message, path, notes=(f"the first is at {other.places.key(there)}",))


def _written(file: SourceFile) -> Iterator[tuple[Path, str, str]]:
    """Yield where steps write files that stand as texts: the path of each, the file that it names, and the text."""
    for step in steps(file.data) if isinstance(file.data, dict) else ():
        for path, text in (((*step.path, "save"), step.entry.get("save")), *outputs_of(step)):
            if is_path(text) and not is_special(absolute := os.path.normpath(os.path.join(file.folder, text))):
                yield path, absolute, text


def _steps(data: Any) -> Iterator[tuple[Path, Any]]:
    for group in STEP_GROUPS:
        entries = data.get(group) if isinstance(data, dict) else None
        for name, entry in entries.items() if isinstance(entries, dict) else ():
            yield (group, name), entry
