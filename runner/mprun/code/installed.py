"""Which modules are of an installed distribution, and which: those count by its name and version, not by their code."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from mprun.code.cache import CodeCache
from mprun.language.targets import SITES

_INFO = re.compile(r"(?P<name>.+?)-(?P<version>[^-]+?)(-py[\d.]+)?\.(dist|egg)-info")
_OF_PYTHON = os.path.join(os.path.dirname(os.__file__), "")


def is_pythons(file: str) -> bool:
    """Whether `file` is of the standard library."""
    return file.startswith(_OF_PYTHON) and not _site_of(file)


def environment_of(file: str, own: Sequence[str]) -> str:
    """The site-packages folder, or else the environment, that `file` lies in; empty where it is in none.

    An environment that one of the folders `own` lies in, as after `python -m venv .`, is no environment of its files.
    """
    return _site_of(file) or _environment(os.path.dirname(file), tuple(own))


def distributions_of(name: str, folder: str, cache: CodeCache) -> str:
    """The distributions in `folder` that have a module `name`, as `numpy 1.26.4`; empty where none says so."""
    top = name.partition(".")[0]
    try:
        namesakes = _by_name(folder, os.stat(folder).st_mtime_ns).get(_normal(top), ())
    except OSError:
        return ""
    return ", ".join(namesakes or cache.distributions(folder, _modules_in).get(top, ()))


@cache
def _by_name(folder: str, mtime: int) -> dict[str, list[str]]:
    """Each distribution in `folder` with its version, by its name; another `mtime` of it asks again."""
    found: dict[str, list[str]] = {}
    for _, name, version in _infos(folder):
        found.setdefault(_normal(name), []).append(f"{name} {version}")
    return found


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "_", name).lower()


def _infos(folder: str) -> Iterator[tuple[str, str, str]]:
    """(path, name, version) of what says what is installed in `folder`."""
    with contextlib.suppress(OSError):
        for entry in sorted(os.listdir(folder)):
            if match := _INFO.fullmatch(entry):
                yield os.path.join(folder, entry), match["name"], match["version"]


def _site_of(file: str) -> str:
    parts = file.split(os.sep)
    at = next((at for at, part in enumerate(parts[:-1]) if part in SITES), None)
    return "" if at is None else os.sep.join(parts[: at + 1])


@cache
def _environment(folder: str, own: tuple[str, ...]) -> str:
    """The nearest folder with a `pyvenv.cfg` from `folder` upwards, but for those that one of `own` lies in."""
    if any(f"{each}{os.sep}".startswith(os.path.join(folder, "")) for each in own):
        return ""
    if os.path.exists(os.path.join(folder, "pyvenv.cfg")):
        return folder
    above = os.path.dirname(folder)
    return "" if above == folder else _environment(above, own)


def _modules_in(folder: str) -> dict[str, list[str]]:
    """The distributions in `folder`, each with its version, by the modules that they have."""
    found: dict[str, list[str]] = {}
    for path, name, version in _infos(folder):
        for module in sorted(set(_top_level(path, name))):
            found.setdefault(module, []).append(f"{name} {version}")
    return found


def _top_level(info: str, name: str) -> Iterable[str]:
    """The top-level modules of the distribution that the folder `info` is about."""
    listed = _lines(os.path.join(info, "top_level.txt")) if os.path.isdir(info) else []
    return listed or list(_recorded(os.path.join(info, "RECORD"))) or [name]


def _recorded(record: str) -> Iterator[str]:
    for line in _lines(record):
        path = line.partition(",")[0].strip('"')
        first, inside, _ = path.partition("/")
        stem, dot, suffix = first.partition(".")
        if (inside and not dot) or (not inside and dot and suffix.rpartition(".")[2] in ("py", "so", "pyd", "pyc")):
            yield stem


def _lines(file: str) -> list[str]:
    try:
        with open(file, encoding="utf-8", errors="replace") as text:
            return [line.strip() for line in text if line.strip()]
    except OSError:
        return []
