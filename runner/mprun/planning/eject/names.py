"""The names of a generated script: what each target is called in it, what it imports for that, what is still free."""

from __future__ import annotations

import builtins
import keyword
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from mprun.language.targets import Target, file_module_name
from mprun.planning.eject.items import HELPER_NAMES
from mprun.planning.eject.library import LIBRARY_MODULES, LIBRARY_NAMES
from mprun.planning.show.source_text import WIDTH, Group, call, flat, led, lines, literal, quoted

NOT_AT_TOP = "  # noqa: E402"
"""Beside each import: the script sets its folder and its search path first."""

_OWN_MODULES = LIBRARY_MODULES | {
    *("csv", "functools", "glob", "importlib", "itertools", "json", "multiprocessing", "os", "subprocess", "sys")
}
_OWN_NAMES = (
    HELPER_NAMES
    | LIBRARY_NAMES
    | {*("FOLDER", "RUN_DIR", "cell", "context", "item", "load_file", "manager"), *("pool", "process", "shared")}
)
_RESERVED = _OWN_MODULES | _OWN_NAMES | frozenset(dir(builtins)) | frozenset(keyword.kwlist)


class Names:
    """Which names of the script are taken; hands out free ones."""

    def __init__(self) -> None:
        self._taken = set(_RESERVED)

    def claim(self, wanted: str, suffix: str) -> str:
        """`wanted` as an identifier; with `suffix`, then with a number, where that is taken."""
        stem = "".join(c if f"_{c}".isidentifier() else "_" for c in wanted)
        if stem.startswith("__"):  # such as `__name__`, which means something to Python
            stem = stem.strip("_") or "unnamed"
        numbered = (f"{stem}{suffix}_{number}" for number in range(2, len(self._taken) + 3))
        free = next(name for name in (stem, stem + suffix, *numbered) if self.is_free(name))
        self._taken.add(free)
        return free

    def take(self, names: Iterable[str]) -> None:
        self._taken.update(names)

    def is_free(self, name: str) -> bool:
        return name not in self._taken and name.isidentifier()


class Imports:
    """What a script imports for its targets, and the expression that stands for each of them.

    A function is imported by its name (`from squares import square`) unless another thing has that name; then its
    module is imported, and the function is written as the module's (`squares.square`).
    """

    def __init__(self, targets: Iterable[Target], folder: str, names: Names) -> None:
        self._names = names
        self._folder = folder
        self._members: dict[str, set[str]] = defaultdict(set)
        self._modules: dict[str, str] = {"multiprocessing": "multiprocessing"}
        self._assigned: dict[str, str] = {}
        self.loads: list[str] = []
        distinct = list(dict.fromkeys(targets))
        self._by_name = _importable_by_name(distinct)
        names.take(head for _, head in self._by_name)
        self._expressions = {target: self._expression(target) for target in distinct}

    def expression(self, target: Target) -> str:
        return self._expressions[target]

    @property
    def loads_files(self) -> bool:
        return "importlib.util" in self._modules

    def add(self, module: str) -> None:
        """Import a module of the standard library that the script itself uses."""
        self._modules[module] = module

    def text(self) -> str:
        """The import statements, sorted: the standard library's first."""
        standard, others = self._section(standard=True), self._section(standard=False)
        return "\n\n".join(section for section in (standard, others) if section)

    def _section(self, standard: bool) -> str:
        modules = [m for m in sorted(self._modules, key=_by_letters) if _is_standard(m) is standard]
        members = [m for m in sorted(self._members, key=_by_letters) if _is_standard(m) is standard]
        return "\n".join(
            [_import(module, self._modules[module]) for module in modules]
            + [_import_from(module, self._members[module]) for module in members]
        )

    def _expression(self, target: Target) -> str:
        if target.module == "builtins" and _is_plain(target.qualname):
            return target.qualname
        if (target.module, _head(target)) in self._by_name:
            self._members[target.module].add(_head(target))
            return target.qualname
        return _attribute(self._module(target), target.qualname)

    def _module(self, target: Target) -> str:
        if target.file:
            return self._file(target.file)
        if not _is_plain(target.module):
            return self._keyword_module(target.module)
        if target.module not in self._modules:
            self._modules[target.module] = self._name_of_module(target.module)
        return self._modules[target.module]

    def _name_of_module(self, module: str) -> str:
        root = module.partition(".")[0]
        if root in _OWN_MODULES or root in self._roots():
            return module
        if not self._names.is_free(root):
            return self._names.claim(module, "_module")
        self._names.take([root])
        return module

    def _roots(self) -> set[str]:
        return {name.partition(".")[0] for name in self._modules.values()}

    def _file(self, file: str) -> str:
        self.add("importlib.util")
        path = quoted(file.removeprefix(f"{self._folder}/"))
        return self._assign(file, Path(file).stem, call("load_file", [quoted(file_module_name(file)), path]))

    def _keyword_module(self, module: str) -> str:
        """A module such as `jobs.lambda`, which the import statement can't name."""
        self.add("importlib")
        return self._assign(module, module, call("importlib.import_module", [quoted(module)]))

    def _assign(self, key: str, wanted: str, code: Group) -> str:
        if key not in self._assigned:
            name = self._assigned[key] = self._names.claim(wanted, "_module")
            self.loads.append(lines(led(f"{name} = ", code)))
        return self._assigned[key]


def _importable_by_name(targets: Iterable[Target]) -> set[tuple[str, str]]:
    """The (module, name) pairs whose name means only one thing, so that `from module import name` is safe."""
    homes: dict[str, set[str]] = defaultdict(set)
    for target in targets:
        if target.module and _is_plain(target.module) and _is_plain(target.qualname):
            homes[_head(target)].add(target.module)
    return {
        (module, head)
        for head, modules in homes.items()
        for module in modules
        if len(modules) == 1 and head not in _RESERVED and not head.startswith("__")
    }


def _head(target: Target) -> str:
    return target.qualname.partition(".")[0]


def _is_plain(dotted: str) -> bool:
    return all(part.isidentifier() and not keyword.iskeyword(part) for part in dotted.split("."))


def _is_standard(module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names


def _attribute(owner: str, qualname: str) -> str:
    for name in qualname.split("."):
        owner = f"{owner}.{name}" if _is_plain(name) else flat(call("getattr", [owner, literal(name)]))
    return owner


def _import(module: str, name: str) -> str:
    return f"import {module}{NOT_AT_TOP}" if name == module else f"import {module} as {name}{NOT_AT_TOP}"


def _import_from(module: str, members: Iterable[str]) -> str:
    names = sorted(members, key=_by_kind)
    one_line = f"from {module} import {', '.join(names)}{NOT_AT_TOP}"
    if len(one_line) <= WIDTH:
        return one_line
    return "\n".join([f"from {module} import ({NOT_AT_TOP}", *(f"    {name}," for name in names), ")"])


def _by_letters(module: str) -> tuple[str, str]:
    return module.lower(), module


def _by_kind(name: str) -> tuple[int, str]:
    """Constants, classes, functions: the order in which import sorters put names."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2
    return kind, name
