"""Rules about files that items come from, and files for results. They read only names and headers."""

from __future__ import annotations

import os
from collections.abc import Iterator

from mprun.errors.exceptions import ItemError
from mprun.errors.places import Path
from mprun.format.items import ItemsFrom
from mprun.language.references import Reference, Template, references_in
from mprun.loading.mistakes import Mistake, short
from mprun.loading.rules.common import Data, StepData, steps
from mprun.loading.rules.files import is_path, not_there
from mprun.loading.rules.sources import Items, items_of
from mprun.planning.build.items import source_of
from mprun.sources.table import KEYS, GlobSource, Site, Source

SAVED_AS = (".json", ".jsonl", ".csv", ".pickle")


def item_files(data: Data, folder: str) -> Iterator[Mistake]:
    """Files that items come from exist and can be used, unless an earlier step may write them."""
    for each in items_of(data):
        if isinstance(each.written, dict) and not _runs_after_others(each.step):
            for key in KEYS:
                if is_path(each.written.get(key)):
                    yield from _of_source(each, key, folder)


def _runs_after_others(step: StepData) -> bool:
    return bool(step.entry.get("needs")) or any(found.scope == "results" for found in references_in(step.entry))


def _of_source(each: Items, key: str, folder: str) -> Iterator[Mistake]:
    found_in = KEYS[key].TRAITS.found_in
    if found_in == "file":
        yield from _file(each, key, folder)
    elif found_in == "folder":
        yield from _matches(each, key, folder)


def _source(each: Items, key: str, site: Site) -> Source | None:
    """Return the source of `key`, with the keys beside it; None if another rule reports what is wrong with it."""
    names = (key, *KEYS[key].TRAITS.modifiers)
    try:
        written = ItemsFrom.model_validate({name: each.written[name] for name in names if name in each.written})
    except ValueError:
        return None
    return source_of(written, site)


def known_source(each: Items, key: str, folder: str, cwd: str) -> Source | None:
    """Return the source of `key` if the children run in `cwd`; None if it is wrong."""
    return _source(each, key, Site(folder, cwd)) if "\0" not in each.written[key] else None


def _file(each: Items, key: str, folder: str) -> Iterator[Mistake]:
    text, path = each.written[key], (*each.path, key)
    where = os.path.join(folder, text)
    if os.path.isdir(where) or not os.path.exists(where):
        yield not_there(text, path, folder, "file")
    elif os.path.isfile(where):
        source = _source(each, key, Site(folder, os.path.dirname(os.path.normpath(where))))
        yield from _header(source, path) if source is not None else ()


def _header(source: Source, path: Path) -> Iterator[Mistake]:
    """Yield what is wrong with the part that is read before the first item: see `Source.decoding`."""
    try:
        source.decoding()
    except ItemError as error:
        yield Mistake(f"{source.kind}-header", f"the header can't be used: {error}", path)
    except OSError as error:
        yield Mistake("file-not-readable", f"the file can't be read: {error.strerror}", path)
    except ValueError:
        pass  # for example a delimiter that this Python's csv module rejects: the step itself will fail


def _matches(each: Items, key: str, folder: str) -> Iterator[Mistake]:
    pattern, path = each.written[key], (*each.path, key)
    source = _source(each, key, Site(folder, folder)) if "\0" not in pattern else None
    if isinstance(source, GlobSource) and not source.allow_empty and not any(source.matches()):
        notes = () if os.path.isabs(pattern) else ("patterns start from the folder of the workflow file",)
        message = f"no file matches `{short(pattern, 80)}`"
        yield Mistake("no-match", message, path, advice="`allow_empty: true` allows that", notes=notes)


def saved_files(data: Data, folder: str) -> Iterator[Mistake]:
    """`save` names a file of a known kind, in an existing folder, to which no other step writes."""
    first: dict[str, Path] = {}
    for step in steps(data):
        written, path = step.entry.get("save"), (*step.path, "save")
        ending = written.parts[-1] if isinstance(written, Template) else written
        if ending and isinstance(ending, str | Reference) and not str(ending).endswith(SAVED_AS):
            message = f"results are saved as {', '.join(SAVED_AS[:-1])} or {SAVED_AS[-1]}, not as `{short(ending)}`"
            yield Mistake("bad-value", message, path)
        if "\0" in str(written):
            yield Mistake("bad-value", "a path can't hold the character U+0000", path)
        elif is_path(written):
            yield from _saved_file(step, written, folder, first)


def _saved_file(step: StepData, written: str, folder: str, first: dict[str, Path]) -> Iterator[Mistake]:
    """Check one `save`. `first` has the files that are saved so far, with the paths that say so.

    An earlier step may make the folder.
    """
    file, path = os.path.normpath(os.path.join(folder, written)), (*step.path, "save")
    if not os.path.isdir(os.path.dirname(file)) and not _runs_after_others(step):
        yield not_there(os.path.dirname(written), path, folder, "folder")
    elif os.path.isdir(file):
        yield not_there(written, path, folder, "file")
    if file in first:
        message = f"two steps save to `{short(written, 80)}`: the one would overwrite the other's"
        yield Mistake("saved-twice", message, path, first=first[file])
    first.setdefault(file, path)
