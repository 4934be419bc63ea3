"""Targets as text and as objects: parsing, resolving, and the search path of their modules.

The parent parses, children resolve. Imports only the standard library.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import os
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

SITES = ("site-packages", "dist-packages")
_DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


@dataclass(frozen=True, slots=True)
class Target:
    """A callable by name: `module` is dotted, or empty where `file` (absolute) is set; `qualname` is its name
    inside."""

    text: str
    module: str
    file: str
    qualname: str


def parse_target(text: str, folder: str) -> Target:
    """Read `package.module:function`, `module:Class.method` or `path/to/file.py:function`.

    A relative `.py` path starts from `folder`. Raises ValueError with a sentence that says what to write.
    """
    where, colon, qualname = text.rpartition(":")
    if not colon or not where or not qualname:
        raise ValueError(_how_to_write(text))
    if not _DOTTED.fullmatch(qualname):
        raise ValueError(f"`{qualname}` is not a name of a function or of a method")
    if where.endswith(".py"):
        return Target(text, "", os.path.normpath(os.path.join(folder, where)), qualname)
    if not _DOTTED.fullmatch(where):
        raise ValueError(f"`{where}` is neither a module's dotted name nor the path of a .py file")
    return Target(text, where, "", qualname)


def _how_to_write(text: str) -> str:
    if "." in text and ":" not in text and _DOTTED.fullmatch(text):
        module, _, name = text.rpartition(".")
        return f"a target is written module:function; did you mean `{module}:{name}`?"
    return "a target is written module:function, module:Class.method or path/to/file.py:function"


def file_module_name(file: str) -> str:
    """The module name for a target's `.py` file: unique by path, so that it can't shadow anything."""
    import hashlib

    digest = hashlib.sha256(file.encode()).hexdigest()[:8]
    stem, _ = os.path.splitext(os.path.basename(file))
    return f"_mprun_{digest}_{stem}"


def import_target_module(target: Target) -> Any:
    """Import the module or the file of `target`. Raises whatever the user's code raises."""
    if not target.file:
        return importlib.import_module(target.module)
    name = file_module_name(target.file)
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, target.file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{target.file} can't be loaded as a module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def resolve(target: Target) -> Callable[..., Any]:
    """The object that `target` names. Raises ImportError, AttributeError, or whatever the module's code raises."""
    found: Any = import_target_module(target)
    for name in target.qualname.split("."):
        found = getattr(found, name)
    return found  # type: ignore[no-any-return]


def is_builtin_exception(name: str) -> bool:
    """Whether `name` is a builtin exception class, such as `OSError`."""
    found = getattr(builtins, name, None)
    return isinstance(found, type) and issubclass(found, BaseException)


def search_path(current: Iterable[str], folders: Iterable[str]) -> list[str]:
    """`current` (a `sys.path`) with `folders` inserted after the standard library and before site-packages."""
    current = [entry for entry in current if entry not in set(folders)]
    first_site = next((i for i, entry in enumerate(current) if os.path.basename(entry) in SITES), len(current))
    return [*current[:first_site], *folders, *current[first_site:]]
