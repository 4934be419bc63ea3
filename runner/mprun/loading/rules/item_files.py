"""Rules about the files that items come from, and those that results go to. Only names and headers are read."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from typing import Any

from mprun.errors.exceptions import ItemError
from mprun.errors.places import Path
from mprun.format.values import read_delimiter
from mprun.language.references import Reference, Template, references_in
from mprun.loading.mistakes import Mistake, short
from mprun.loading.rules.common import Data, StepData, steps
from mprun.loading.rules.files import is_path, not_there
from mprun.loading.rules.sources import Items, items_of
from mprun.sources.table import CsvSource

SAVED_AS = (".json", ".jsonl", ".csv", ".pickle")


def item_files(data: Data, folder: str) -> Iterator[Mistake]:
    """Files that items come from and that are not there, or can't be used, unless a step before may write them."""
    for each in items_of(data):
        if not _runs_after_others(each.step):
            yield from _files(each, folder)
            yield from _matches(each, folder)


def _runs_after_others(step: StepData) -> bool:
    return bool(step.entry.get("needs")) or any(found.scope == "results" for found in references_in(step.entry))


def _files(each: Items, folder: str) -> Iterator[Mistake]:
    for key in ("lines", "csv", "jsonl"):
        text = each.written.get(key) if isinstance(each.written, dict) else None
        if is_path(text):
            where, path = os.path.join(folder, text), (*each.path, key)
            if os.path.isdir(where) or not os.path.exists(where):
                yield not_there(text, path, folder, "file")
            elif key == "csv" and os.path.isfile(where):
                yield from _header(where, each.written.get("delimiter", ","), path)


def _header(file: str, delimiter: Any, path: Path) -> Iterator[Mistake]:
    try:
        CsvSource(file, os.path.dirname(file), read_delimiter(delimiter)).decoding()
    except ItemError as error:
        yield Mistake("csv-header", f"the header can't be used: {error}", path)
    except OSError as error:
        yield Mistake("file-not-readable", f"the file can't be read: {error.strerror}", path)
    except ValueError:
        pass  # the delimiter is none, which is told of itself


def _matches(each: Items, folder: str) -> Iterator[Mistake]:
    pattern = each.written.get("glob") if isinstance(each.written, dict) else None
    if is_path(pattern) and "\0" not in pattern and each.written.get("allow_empty") is not True:
        inside = os.path.join(folder, "")
        found = glob.iglob(os.path.join(glob.escape(folder), pattern), recursive=True)
        if not any(path != inside for path in found):
            notes = () if os.path.isabs(pattern) else ("patterns start from the folder of the workflow file",)
            told = f"no file matches `{short(pattern, 80)}`"
            advice = "`allow_empty: true` allows that"
            yield Mistake("no-match", told, (*each.path, "glob"), advice=advice, notes=notes)


def saved_files(data: Data, folder: str) -> Iterator[Mistake]:
    """`save` names a file of a known kind in a folder that is there, and none that another step writes."""
    first: dict[str, Path] = {}
    for step in steps(data):
        written, path = step.entry.get("save"), (*step.path, "save")
        ending = written.parts[-1] if isinstance(written, Template) else written
        if ending and isinstance(ending, str | Reference) and not str(ending).endswith(SAVED_AS):
            told = f"results are saved as {', '.join(SAVED_AS[:-1])} or {SAVED_AS[-1]}, not as `{short(ending)}`"
            yield Mistake("bad-value", told, path)
        if "\0" in str(written):
            yield Mistake("bad-value", "a path can't hold the character U+0000", path)
        elif is_path(written):
            yield from _saved_file(written, path, folder, first)


def _saved_file(written: str, path: Path, folder: str, first: dict[str, Path]) -> Iterator[Mistake]:
    """`first` has the files that are written already, with the paths that say so."""
    file = os.path.normpath(os.path.join(folder, written))
    if not os.path.isdir(os.path.dirname(file)):
        yield not_there(os.path.dirname(written), path, folder, "folder")
    elif os.path.isdir(file):
        yield not_there(written, path, folder, "file")
    if file in first:
        told = f"two steps save to `{short(written, 80)}`: the one would overwrite the other's"
        yield Mistake("saved-twice", told, path, first=first[file])
    first.setdefault(file, path)
