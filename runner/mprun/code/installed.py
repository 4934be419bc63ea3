"""Which modules belong to an installed distribution. They count by its name and version, not by their code."""

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
    """Return whether `file` belongs to the standard library."""
    return file.startswith(_OF_PYTHON) and not _site_of(file)


def environment_of(file: str, own: Sequence[str]) -> str:
    """Return the site-packages folder, or else the environment, in which `file` lies; empty if it lies in none.

    An environment around one of the folders `own`, as after `python -m venv .`, doesn't count.
    """
    return _site_of(file) or _environment(os.path.dirname(file), tuple(own))


def distributions_of(name: str, folder: str, cache: CodeCache) -> str:
    """Return the distributions in `folder` with a module `name`, such as `numpy 1.26.4`; empty if none declares it."""
    top = name.partition(".")[0]
    try:
        namesakes = _by_name(folder, os.stat(folder).st_mtime_ns).get(_normal(top), ())
    except OSError:
        return ""
    return ", ".join(namesakes or cache.distributions(folder, _modules_in).get(top, ()))


@cache
def _by_name(folder: str, mtime: int) -> dict[str, list[str]]:
    """Return each distribution in `folder` with its version, by its name. A new `mtime` reads the folder again."""
    found: dict[str, list[str]] = {}
    for _, name, version in _infos(folder):
        found.setdefault(_normal(name), []).append(f"{name} {version}")
    return found


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "_", name).lower()


def _infos(folder: str) -> Iterator[tuple[str, str, str]]:
    """Yield (path, name, version) of the metadata of each distribution in `folder`."""
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
    """Return the nearest folder with a `pyvenv.cfg` from `folder` upwards, except folders around one of `own`."""
    if any(f"{each}{os.sep}".startswith(os.path.join(folder, "")) for each in own):
        return ""
    if os.path.exists(os.path.join(folder, "pyvenv.cfg")):
        return folder
    above = os.path.dirname(folder)
    return "" if above == folder else _environment(above, own)


def _modules_in(folder: str) -> dict[str, list[str]]:
    """Return the distributions in `folder`, each with its version, by their modules."""
    found: dict[str, list[str]] = {}
    for path, name, version in _infos(folder):
        for module in sorted(set(_top_level(path, name))):
            found.setdefault(module, []).append(f"{name} {version}")
    return found


def _top_level(info: str, name: str) -> Iterable[str]:
    """Return the top-level modules of the distribution with the metadata folder `info`."""
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
