"""The names of a generated script: what each target is called in it, what it imports for that, what is still free."""

from __future__ import annotations

import builtins
import keyword
import sys
from collections import defaultdict
from collections.abc import Iterable

from mprun.language.targets import Target
from mprun.planning.eject.items import HELPER_NAMES
from mprun.planning.show.source_text import WIDTH

NOT_AT_TOP = "  # noqa: E402"
"""Beside each import: the script sets its folder and its search path first."""

_OWN_MODULES = {*("csv", "functools", "glob", "itertools", "json", "multiprocessing", "os", "sys")}
_OWN_NAMES = {*("FOLDER", "context", "item", "manager", "pool", "process"), *HELPER_NAMES}
_RESERVED = frozenset(_OWN_MODULES | _OWN_NAMES | set(dir(builtins)) | set(keyword.kwlist))


class Names:
    """Which names of the script are taken; gives free ones."""

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

    def is_free(self, name: str) -> bool:
        return name not in self._taken and name.isidentifier()


class Imports:
    """What a script imports for its targets, and the expression that stands for each of them.

    A function is imported by its name (`from squares import square`), under another one where that is taken (`from
    other import square as square_of_other`).
    """

    def __init__(self, targets: Iterable[Target], names: Names) -> None:
        self._modules = {"multiprocessing"}
        self._members: dict[str, dict[str, str]] = defaultdict(dict)
        for target in targets:
            if not _is_built_in(target) and _head(target) not in self._members[target.module]:
                self._members[target.module][_head(target)] = names.claim(_head(target), _of(target.module))

    def expression(self, target: Target) -> str:
        if _is_built_in(target):
            return target.qualname
        head, dot, rest = target.qualname.partition(".")
        return self._members[target.module][head] + dot + rest

    def add(self, module: str) -> None:
        """Import a module of the standard library that the script itself uses."""
        self._modules.add(module)

    def text(self) -> str:
        """The import statements, sorted: the standard library's first."""
        standard = [f"import {module}{NOT_AT_TOP}" for module in sorted(self._modules)]
        of_targets = sorted(self._members, key=str.lower)
        standard += [_import_from(m, self._members[m]) for m in of_targets if _is_standard(m)]
        others = [_import_from(m, self._members[m]) for m in of_targets if not _is_standard(m)]
        return "\n\n".join("\n".join(section) for section in (standard, others) if section)


def importable(target: Target) -> bool:
    """Whether Python's own import statement can name `target`."""
    parts = [*target.module.split("."), *target.qualname.split(".")]
    return all(part.isidentifier() and not keyword.iskeyword(part) for part in parts)


def _head(target: Target) -> str:
    return target.qualname.partition(".")[0]


def _of(module: str) -> str:
    return f"_of_{module.rpartition('.')[2]}"


def _is_built_in(target: Target) -> bool:
    return target.module == "builtins"


def _is_standard(module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names


def _import_from(module: str, members: dict[str, str]) -> str:
    names = [_as(name, members[name]) for name in sorted(members, key=_by_kind)]
    one_line = f"from {module} import {', '.join(names)}{NOT_AT_TOP}"
    if len(one_line) <= WIDTH:
        return one_line
    return "\n".join([f"from {module} import ({NOT_AT_TOP}", *(f"    {name}," for name in names), ")"])


def _as(name: str, local: str) -> str:
    return name if name == local else f"{name} as {local}"


def _by_kind(name: str) -> tuple[int, str]:
    """Constants, classes, functions: the order in which import sorters put names."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2
    return kind, name
