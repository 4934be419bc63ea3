"""Rules about files and folders that a workflow names, and that must exist before the start."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from typing import Any, TypeGuard

from mprun.errors.places import Path
from mprun.loading.mistakes import Mistake, short
from mprun.loading.rules.common import StepData, steps
from mprun.loading.rules.retries import named
from mprun.loading.suggestions import did_you_mean, suggest
from mprun.plan.plan import TARGET_KEYS

_MAX_LISTED = 1000


def file_mistakes(data: dict[Any, Any], folder: str) -> Iterator[Mistake]:
    """Yield folders and files that don't exist. Relative paths start from `folder`, which is the workflow file's."""
    yield from _folder(data.get("working_dir"), ("working_dir",), folder)
    pythonpath = data.get("pythonpath")
    for index, entry in enumerate(pythonpath) if isinstance(pythonpath, list) else ():
        yield from _folder(entry, ("pythonpath", index), folder)
    if not isinstance(pythonpath, list):
        yield from _folder(pythonpath, ("pythonpath",), folder)
    for step in steps(data):
        yield from _folder(step.entry.get("working_dir"), (*step.path, "working_dir"), folder)
        yield from _target_files(step, folder)


def _folder(text: Any, path: Path, folder: str) -> Iterator[Mistake]:
    if is_path(text) and not os.path.isdir(os.path.join(folder, text)):
        yield not_there(text, path, folder, "folder")


def _target_files(step: StepData, folder: str) -> Iterator[Mistake]:
    written: list[tuple[Any, Path]] = [(step.entry.get(key), (*step.path, key)) for key in TARGET_KEYS]
    for text, path in [*written, *((name.text, name.path) for name in named(step))]:
        file, colon, name = text.rpartition(":") if isinstance(text, str) else ("", "", "")
        if colon and name and file.endswith(".py") and is_path(file) and not os.path.isfile(os.path.join(folder, file)):
            yield not_there(file, path, folder, "file")


def is_path(text: Any) -> TypeGuard[str]:
    return isinstance(text, str) and text != ""


def not_there(text: str, path: Path, folder: str, kind: str) -> Mistake:
    where = os.path.join(folder, text)
    if os.path.exists(where):
        return Mistake("file-not-found", f"`{short(text, 80)}` is not a {kind}", path, near=text)
    parent, name = os.path.split(where.rstrip("/"))
    close = suggest(name, _names_in(parent))
    advice = did_you_mean(os.path.join(os.path.dirname(text.rstrip("/")), close)) if close else ""
    notes = () if os.path.isabs(text) or close else ("paths start from the folder of the workflow file",)
    return Mistake(
        "file-not-found", f"there is no {kind} `{short(text, 80)}`", path, advice=advice, notes=notes, near=text
    )


def _names_in(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in islice(entries, _MAX_LISTED)]
    except (OSError, ValueError):
        return []
