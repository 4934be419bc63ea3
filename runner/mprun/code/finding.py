"""Finds where a module lies as Python's import system does, but imports and executes nothing."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from importlib.machinery import BYTECODE_SUFFIXES, EXTENSION_SUFFIXES, SOURCE_SUFFIXES, ModuleSpec
from typing import NamedTuple

_SUFFIXES = (*EXTENSION_SUFFIXES, *SOURCE_SUFFIXES, *BYTECODE_SUFFIXES)  # in the order in which Python tries them
_ARCHIVES = (".zip", ".egg", ".whl")
_PYTHONS_OWN = ("BuiltinImporter", "FrozenImporter", "PathFinder", "DistutilsMetaFinder")


class Found(NamedTuple):
    """A module's file (a namespace package has none), and the `folders` of a package in which its modules lie."""

    name: str
    file: str
    folders: tuple[str, ...] = ()

    @property
    def is_source(self) -> bool:
        return self.file.endswith(tuple(SOURCE_SUFFIXES))

    @property
    def package(self) -> str:
        """The package from which its relative imports start."""
        return self.name if self.folders else self.name.rpartition(".")[0]


class ModuleFinder:
    """Finds modules on the search path `path`. It reads each folder once."""

    def __init__(self, path: Sequence[str]) -> None:
        self._path = tuple(os.fspath(entry) for entry in path if entry)
        self._found: dict[str, Found | None] = {}
        self._names: dict[str, frozenset[str]] = {}

    def find(self, name: str) -> Found | None:
        """Return the module `name`; None if there is none, or if it is built into Python."""
        if name not in self._found:
            self._found[name] = self._search(name)
        return self._found[name]

    def _search(self, name: str) -> Found | None:
        parent, _, stem = name.rpartition(".")
        if not parent:
            return self._in(self._path, name, stem) or _by_hook(name)
        package = self.find(parent)
        return self._in(package.folders, name, stem) if package else None

    def _in(self, folders: Sequence[str], name: str, stem: str) -> Found | None:
        namespace = []
        for folder in folders:
            inner = os.path.join(folder, stem)
            if stem in self._listed(folder) and (init := self._module_file(inner, "__init__")):
                return Found(name, init, (inner,))
            if file := self._module_file(folder, stem):
                return Found(name, file)
            if folder.endswith(_ARCHIVES) and _is_in_archive(folder, stem):
                return Found(name, folder)  # all of which counts
            if stem in self._listed(folder) and os.path.isdir(inner):
                namespace.append(inner)
        return Found(name, "", tuple(namespace)) if namespace else None

    def _module_file(self, folder: str, stem: str) -> str:
        """Return the file of the module `stem` in `folder`; empty if there is none."""
        names = self._listed(folder)
        file = next((stem + suffix for suffix in _SUFFIXES if stem + suffix in names), "")
        return os.path.join(folder, file) if file else ""

    def _listed(self, folder: str) -> frozenset[str]:
        if folder not in self._names:
            try:
                self._names[folder] = frozenset(os.listdir(folder))
            except (OSError, ValueError):  # a path may hold anything
                self._names[folder] = frozenset()
        return self._names[folder]


def _is_in_archive(path: str, stem: str) -> bool:
    import zipfile

    try:
        with zipfile.ZipFile(path) as archive:
            return any(entry.startswith((f"{stem}/", f"{stem}.")) for entry in archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def _by_hook(name: str) -> Found | None:
    """Find a module by the hooks of editable installs."""
    for hook in sys.meta_path:
        if getattr(hook, "__name__", type(hook).__name__) in _PYTHONS_OWN:
            continue
        with contextlib.suppress(Exception):  # it is somebody's code
            if found := _found_by(hook.find_spec(name, None), name):
                return found
    return None


def _found_by(spec: ModuleSpec | None, name: str) -> Found | None:
    if spec is None:
        return None
    file = spec.origin if spec.has_location and spec.origin else ""
    return Found(name, file, tuple(map(str, spec.submodule_search_locations or ())))
