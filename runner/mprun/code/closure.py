"""The modules of a target's code: its own and those that it imports, each with the text that identifies it."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field

from mprun.code.cache import CodeCache, Stamp, stamp_of
from mprun.code.finding import Found, ModuleFinder
from mprun.code.installed import distributions_of, environment_of, is_pythons
from mprun.code.source import STAR, Import, Source
from mprun.language.targets import Target, search_path

ABSENT = "absent"  # identifies a module that can't be found: it may be optional, and come later

Modules = dict[str, str]  # by name, its digest or the distributions that it is from


@dataclass(slots=True)
class Closure:
    """All modules but Python's own, and the stamps of the files that were read."""

    modules: Modules = field(default_factory=dict)
    stamps: dict[str, Stamp] = field(default_factory=dict)

    def files_since(self, moment: int) -> list[str]:
        """Return the files that were touched since `moment` (ns since the epoch)."""
        return [file for file, stamp in self.stamps.items() if stamp.ctime >= moment]

    def changed_files(self) -> list[str]:
        """Return the files that have changed since they were read."""
        return [file for file, stamp in self.stamps.items() if _stamp(file) != stamp]


class Closures:
    """Finds the closure of each target. `cache` has what was found before."""

    def __init__(self, cache: CodeCache) -> None:
        self._cache = cache
        self._finders: dict[tuple[str, ...], ModuleFinder] = {}
        self._known: dict[tuple[str, str, tuple[str, ...]], Closure] = {}

    def reading(self, target: Target, pythonpath: Sequence[str]) -> Generator[None, None, Closure]:
        """Return the closure of `target`, found in the folders `pythonpath` or in this Python's own.

        It stops after each module, for callers with other work to do.
        """
        key = (target.module, target.file, tuple(pythonpath))
        if key not in self._known:
            closure = Closure()
            yield from _Walk(self._finder(key[2]), self._cache, key[2], closure).steps(_start(target))
            self._known[key] = closure
            self._cache.save()
        return self._known[key]

    def _finder(self, pythonpath: tuple[str, ...]) -> ModuleFinder:
        if pythonpath not in self._finders:
            self._finders[pythonpath] = ModuleFinder(search_path(sys.path, pythonpath))
        return self._finders[pythonpath]


_KNOWN_BY_VERSION = {*sys.stdlib_module_names, "__main__", "mprun"}  # of which a step's digest has Python's


def _start(target: Target) -> Found | str:
    return Found(os.path.basename(target.file), target.file) if target.file else target.module


def _stamp(file: str) -> Stamp | None:
    try:
        return stamp_of(file)
    except OSError:
        return None


class _Walk:
    """Walks from one module through all modules that it leads to."""

    def __init__(self, finder: ModuleFinder, cache: CodeCache, own: Sequence[str], closure: Closure) -> None:
        self._finder = finder
        self._cache = cache
        self._own = own
        self._closure = closure
        self._seen: set[str] = set()
        self._installed: set[str] = set()
        self._waiting: list[tuple[str, Found | None]] = []

    def steps(self, start: Found | str) -> Iterator[None]:
        """Add one module after the other."""
        if isinstance(start, str):
            self._want(start)
        else:
            self._waiting.append((start.name, start))
        while self._waiting:
            name, found = self._waiting.pop()
            self._add(name, found)
            yield

    def _want(self, name: str, *, optional: bool = False) -> None:
        """Add the module `name` and the packages around it. With `optional`, it may not be a module at all."""
        parts = name.split(".")
        if parts[0] in _KNOWN_BY_VERSION:
            return
        for end in range(1, len(parts) + 1):
            part = ".".join(parts[:end])
            found = self._finder.find(part)
            if part in self._installed or (found is None and optional and end == len(parts)):
                return
            if part not in self._seen:
                self._seen.add(part)
                self._waiting.append((part, found))
                if found is not None and (distributions := self._distributions(found)):
                    self._closure.modules[part] = distributions
                    self._installed.add(part)
                    self._waiting.pop()
                    return  # whatever is in it counts by that version

    def _distributions(self, found: Found) -> str:
        folder = environment_of(found.file, self._own) if found.file else ""
        return distributions_of(found.name, folder, self._cache) if folder else ""

    def _add(self, name: str, found: Found | None) -> None:
        if found is None:
            self._closure.modules[name] = ABSENT
        elif found.file and not is_pythons(found.file):
            self._add_own(found)

    def _add_own(self, found: Found) -> None:
        try:
            source = self._cache.source(found.file, compiled=not found.is_source)
        except OSError:
            self._closure.modules[found.name] = ABSENT
            return
        self._closure.modules[found.name] = source.digest
        self._closure.stamps[found.file] = self._cache.stamps[found.file]
        for wanted in source.imports:
            self._follow(wanted, found, source)

    def _follow(self, wanted: Import, found: Found, source: Source) -> None:
        module = _absolute(wanted, found.package)
        if not module:
            return
        self._want(module)
        for name in self._exported(module) if STAR in wanted.names else wanted.names:
            self._want(f"{module}.{name}", optional=True)

    def _exported(self, module: str) -> Sequence[str]:
        """Return what `from module import *` may import: the modules that its `__all__` names."""
        found = self._finder.find(module)
        if found is None or not found.is_source or not found.folders:
            return ()
        try:
            return self._cache.source(found.file).exports
        except OSError:
            return ()


def _absolute(wanted: Import, package: str) -> str:
    """Return the full name of what is imported in `package`; empty if the dots lead out of it."""
    if not wanted.level:
        return wanted.module
    parts = package.split(".") if package else []
    if wanted.level > len(parts):
        return ""
    return ".".join(filter(None, [*parts[: len(parts) - wanted.level + 1], wanted.module]))
