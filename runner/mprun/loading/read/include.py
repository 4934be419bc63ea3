"""Reads a workflow file and, through `include`, the files behind it: data, parameters and places, not judged yet."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Container, Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any

from mprun.errors.exceptions import Diagnostic, WorkflowError
from mprun.errors.places import Path
from mprun.format.workflow import is_extension
from mprun.language.references import variable_name
from mprun.loading.mistakes import Mistake, short
from mprun.loading.params.inputs import Given, GivenParams
from mprun.loading.params.resolve import Params, read_params
from mprun.loading.read.file import decode, read_bytes
from mprun.loading.read.yaml_data import YamlData, read_yaml
from mprun.loading.references.substitute import Substitution, substitute_part
from mprun.loading.rules.files import not_there
from mprun.sources.grid import value_key

MAX_DEPTH = 10  # of files that include one another
MAX_FILES = 100


@dataclass(slots=True, eq=False)
class ReadFile:
    """One file, read. In `data` only `params` and `include` have had their references replaced.

    `by` is the file that includes it, None for the first; the other fields gather what is found wrong with it: mistakes
    in its data, diagnostics that have their place, and the paths of values that hold a mistake already told
    (`substituted`: of those that had references).
    """

    file: str
    sha256: str
    read: YamlData
    by: ReadFile | None
    data: Any = None
    params: Params = field(default_factory=Params)
    mistakes: list[Mistake] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    failed: set[Path] = field(default_factory=set)
    substituted: Container[Path] = ()

    @property
    def folder(self) -> str:
        return os.path.dirname(os.path.abspath(self.file))

    @property
    def trail(self) -> list[ReadFile]:
        """The first file, and each that led from it to this one."""
        return [*(self.by.trail if self.by else []), self]

    def take(self, found: Substitution) -> Any:
        """Book what is wrong with a part of the data; returns the part."""
        self.mistakes += found.mistakes
        self.failed |= found.failed
        return found.data


def read_tree(file: str, given: GivenParams) -> list[ReadFile]:
    """`file` and all that it includes, each behind those that it includes itself. Raises WorkflowError for `file`."""
    tree = _Tree(given)
    tree.read(file, None, given)
    return tree.files


class _Tree:
    def __init__(self, given: GivenParams) -> None:
        self.files: list[ReadFile] = []
        self._given = given
        self._seen: dict[str, Hashable] = {}  # what each file is given

    def read(self, file: str, by: ReadFile | None, given: GivenParams) -> None:
        data = read_bytes(file)
        read = read_yaml(decode(data, file), file)
        found = ReadFile(file, hashlib.sha256(data).hexdigest(), read, by, read.data)
        found.diagnostics += read.diagnostics
        found.failed |= read.spoiled
        if isinstance(read.data, dict):
            self._read_params(found, given)
            self._follow(found)
        self.files.append(found)

    def _read_params(self, found: ReadFile, given: GivenParams) -> None:
        part = substitute_part(found.data, "params", Params(), os.environ)
        declared = found.take(part)
        if "params" in found.data:
            found.data = {**found.data, "params": declared}
        given = given if found.by is None else self._with_secrets(found, declared, given)
        found.params = read_params(declared, given, part.written)
        found.mistakes += found.params.mistakes
        found.diagnostics += found.params.diagnostics

    def _with_secrets(self, found: ReadFile, declared: Any, given: GivenParams) -> GivenParams:
        """What an `include` gives; secrets are given to the run, by the same name, and never by a file."""
        entries = declared.items() if isinstance(declared, dict) else ()
        secrets = {name for name, entry in entries if isinstance(entry, dict) and entry.get("secret") is True}
        known = secrets | {variable_name(name) for name in secrets if isinstance(name, str)}
        for each in given.values:
            if each.name in secrets:
                told = f"`{short(each.name)}` is a secret: it is given to the run, not written into a file"
                found.diagnostics.append(Diagnostic("secret", told, each.place))
        values = [each for each in given.values if each.name not in secrets]
        values += [each for each in self._given.values if each.name in known]
        return GivenParams(tuple(values), self._given.folder, given.place)

    def _follow(self, found: ReadFile) -> None:
        if "include" not in found.data:
            return
        written = found.take(substitute_part(found.data, "include", found.params, os.environ))
        found.data = {**found.data, "include": written}
        for path, file, params in _entries(written):
            if "\0" in file:
                found.mistakes.append(not_there(file, path, found.folder, "file"))
            elif path not in found.failed:
                self._include(found, path, file, params)

    def _include(self, found: ReadFile, path: Path, text: str, params: dict[Any, Any]) -> None:
        file = os.path.normpath(os.path.join(os.path.dirname(found.file), text))
        given, before = value_key(params), self._seen.get(os.path.realpath(file))
        mistake = self._refusal(found, path, text, file)
        if mistake is not None:
            found.mistakes.append(mistake)
        elif before is None:
            self._seen[os.path.realpath(file)] = given
            try:
                self.read(file, found, _given(found, path, params))
            except WorkflowError as error:
                found.diagnostics += error.diagnostics
        elif before != given:  # with the same parameters its steps are there already
            told = f"`{short(text)}` is included twice, with other `params`: each of its steps would be there twice"
            found.mistakes.append(Mistake("duplicate-name", told, path, near=text))

    def _refusal(self, found: ReadFile, path: Path, text: str, file: str) -> Mistake | None:
        trail = [*found.trail]
        again = [each for each in trail if os.path.realpath(each.file) == os.path.realpath(file)]
        if again:
            circle = [each.file for each in trail[trail.index(again[0]) :]]
            told = f"these files include one another: {' → '.join([*circle, file])}"
            return Mistake("cycle", told, path, near=text)
        if len(trail) > MAX_DEPTH:
            return Mistake("too-deep", f"files include one another at most {MAX_DEPTH} deep", path, near=text)
        if len(self._seen) >= MAX_FILES:
            return Mistake("too-many-files", f"a workflow has at most {MAX_FILES} files", path, near=text)
        return None if os.path.isfile(file) else not_there(text, path, found.folder, "file")


def _entries(written: Any) -> Iterator[tuple[Path, str, dict[Any, Any]]]:
    """(the path of the file's name, that name, its parameters) of each `include` that has a usable form."""
    each = enumerate(written) if isinstance(written, list) else [(None, written)]
    for index, entry in each:
        path: Path = ("include",) if index is None else ("include", index)
        if isinstance(entry, str) and entry:
            yield path, entry, {}
        elif isinstance(entry, dict) and isinstance(entry.get("file"), str) and entry["file"]:
            params = entry.get("params")
            yield (*path, "file"), entry["file"], params if isinstance(params, dict) else {}


def _given(found: ReadFile, path: Path, params: dict[Any, Any]) -> GivenParams:
    places = found.read.places
    at = (*path[:-1], "params") if path[-1] == "file" else path
    values = [
        Given(str(name), value, False, "", places.key((*at, name)))
        for name, value in params.items()
        if not is_extension(name) and (*at, name) not in found.failed
    ]
    return GivenParams(tuple(values), "", places.value(path))
