"""Two stages: `read` a file, and `include` the files that it names, each read in the same way with its own
parameters."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Hashable, Iterator
from typing import Any, NamedTuple

from mprun.errors.exceptions import WorkflowError
from mprun.errors.places import Path
from mprun.format.workflow import is_extension
from mprun.loading.mistakes import Found, Mistake, short
from mprun.loading.params.inputs import ParamInput, ParamInputs
from mprun.loading.params.resolve import parameters
from mprun.loading.read.file import decode, read_bytes
from mprun.loading.read.yaml_data import read_yaml
from mprun.loading.references.substitute import substitute_part
from mprun.loading.rules.files import not_there
from mprun.loading.source_files import FilesOutput, Request, SourceFile
from mprun.loading.stages import Output, run_stages
from mprun.sources.grid import value_key

MAX_DEPTH = 10  # levels of files that include one another
MAX_FILES = 100


def read(request: Request) -> Output[SourceFile | None, Found]:
    """Return the file as data with places; None if it can't be read, or isn't YAML."""
    file = request.file
    try:
        content = read_bytes(file)
        yaml = read_yaml(decode(content, file), file)
    except WorkflowError as error:
        return Output(None, tuple(Found(each, file) for each in error.diagnostics))
    found = tuple(Found(each, file) for each in yaml.diagnostics)
    sha256 = hashlib.sha256(content).hexdigest()
    return Output(SourceFile(request, sha256, yaml.data, yaml.places, broken=yaml.spoiled), found)


def include(main: SourceFile) -> FilesOutput:
    """Return `main` and all files that it includes. Each file comes after the files that it includes itself."""
    walk = _Walk()
    walk.follow(main)
    return Output(tuple(walk.files), tuple(walk.found))


class _Entry(NamedTuple):
    """One entry of `include`: the `name` of a file, as written at `path`, and its parameters."""

    path: Path
    name: str
    params: dict[Any, Any]


class _Walk:
    """Walks through files that include others, depth first."""

    def __init__(self) -> None:
        self.files: list[SourceFile] = []
        self.found: list[Found] = []
        self._params: dict[str, Hashable] = {}  # the parameters of each included file, by its real path

    def follow(self, file: SourceFile) -> None:
        if isinstance(file.data, dict) and "include" in file.data:
            file = self._follow_entries(file, file.data)
        self.files.append(file)

    def _follow_entries(self, file: SourceFile, data: dict[Any, Any]) -> SourceFile:
        part = substitute_part(data, "include", file.params, file.request.environ)
        known, found = file._replace(data={**data, "include": part.data}).report(part.mistakes, part.broken)
        refused = [mistake for entry in _entries(part.data) for mistake in self._include(known, entry)]
        marked, more = known.report(refused)
        self.found += (*found, *more)
        return marked

    def _include(self, by: SourceFile, entry: _Entry) -> Iterator[Mistake]:
        if "\0" in entry.name:
            yield not_there(entry.name, entry.path, by.folder, "file")
        elif entry.path not in by.broken:
            file = os.path.normpath(os.path.join(os.path.dirname(by.file), entry.name))
            params, before = value_key(entry.params), self._params.get(os.path.realpath(file))
            refusal = self._refusal(by, entry, file)
            if refusal is not None:
                yield refusal
            elif before is None:
                self._params[os.path.realpath(file)] = params
                self._read(by, entry, file)
            elif before != params:  # with the same parameters, its steps are included already
                message = f"`{short(entry.name)}` is included twice, with other `params`"
                yield Mistake(
                    "duplicate-name",
                    f"{message}: each of its steps would be there twice",
                    entry.path,
                    near=entry.name,
                )

    def _read(self, by: SourceFile, entry: _Entry, file: str) -> None:
        request = by.request._replace(file=file, inputs=_inputs(by, entry), including=by.trail)
        included, found = run_stages((read, parameters), request)
        if included is None:
            self.found += (each._replace(file=by.file) for each in found)
        else:
            self.found += found
            self.follow(included)

    def _refusal(self, by: SourceFile, entry: _Entry, file: str) -> Mistake | None:
        path, name = entry.path, entry.name
        circle = _circle(by.trail, file)
        if circle:
            message = f"these files include one another: {' → '.join(circle)}"
            return Mistake("cycle", message, path, near=name)
        if len(by.trail) > MAX_DEPTH:
            return Mistake("too-deep", f"files include one another at most {MAX_DEPTH} deep", path, near=name)
        if len(self._params) >= MAX_FILES:
            return Mistake("too-many-files", f"a workflow has at most {MAX_FILES} files", path, near=name)
        return None if os.path.isfile(file) else not_there(name, path, by.folder, "file")


def _circle(trail: tuple[str, ...], file: str) -> list[str]:
    """Return the part of `trail` that `file` closes to a circle, with `file` at its end; empty if it closes none."""
    real = os.path.realpath(file)
    start = next((number for number, each in enumerate(trail) if os.path.realpath(each) == real), None)
    return [] if start is None else [*trail[start:], file]


def _entries(written: Any) -> Iterator[_Entry]:
    """Yield each entry of `include` that has a usable form."""
    each = enumerate(written) if isinstance(written, list) else [(None, written)]
    for index, entry in each:
        path: Path = ("include",) if index is None else ("include", index)
        if isinstance(entry, str) and entry:
            yield _Entry(path, entry, {})
        elif isinstance(entry, dict) and isinstance(entry.get("file"), str) and entry["file"]:
            params = entry.get("params")
            yield _Entry((*path, "file"), entry["file"], params if isinstance(params, dict) else {})


def _inputs(by: SourceFile, entry: _Entry) -> ParamInputs:
    at = (*entry.path[:-1], "params") if entry.path[-1] == "file" else entry.path
    values = [
        ParamInput(str(name), value, False, "", by.places.key((*at, name)))
        for name, value in entry.params.items()
        if not is_extension(name) and (*at, name) not in by.broken
    ]
    return ParamInputs(tuple(values), "", by.places.value(entry.path))
