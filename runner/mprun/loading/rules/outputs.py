"""Rules about the files that tasks write: no two write the same one, as far as that is known before the start."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Any

from mprun.errors.places import Path
from mprun.language.references import Reference, Template, evaluate, follow, references_in, written_out
from mprun.loading.mistakes import Mistake, short
from mprun.loading.rules.common import Data, StepData, steps
from mprun.loading.rules.fan_out import combinations
from mprun.loading.rules.files import is_path, not_there
from mprun.loading.rules.item_files import known_source
from mprun.loading.rules.sources import items_of
from mprun.plan.plan import FAN_OUTS, POOL_CALLS
from mprun.system.whole_file import is_special

MAX_ITEMS = 100_000  # items of a step whose files are compared


def written_files(data: Data, folder: str) -> Iterator[Mistake]:
    """No two steps, or tasks of one, write the same file by their `outputs`, `stdout` or `stderr`, or save to one."""
    first: dict[str, Path] = {}
    for step in steps(data):
        if is_path(saved := step.entry.get("save")):
            first.setdefault(_absolute(saved, folder), (*step.path, "save"))
    for step in steps(data):
        for path, written in outputs_of(step):
            yield from _file(step, written, path, data, folder, first)


def outputs_of(step: StepData) -> Iterator[tuple[Path, Any]]:
    """Each file that a task of `step` writes, as it is written, with its path."""
    for key in ("stdout", "stderr"):
        yield (*step.path, key), step.entry.get(key)
    outputs = step.entry.get("outputs")
    for path, each in entries((*step.path, "outputs"), outputs):
        yield ((*path, "file"), each.get("file")) if isinstance(each, dict) else (path, each)


def entries(path: Path, written: Any) -> Iterator[tuple[Path, Any]]:
    """What is one value or a list of them, each with its path."""
    if isinstance(written, list):
        yield from (((*path, index), each) for index, each in enumerate(written))
    elif written is not None:
        yield path, written


def _file(
    step: StepData, written: Any, path: Path, data: Data, folder: str, first: dict[str, Path]
) -> Iterator[Mistake]:
    """Check one file. `first` has the files that are written so far, with the paths that say so."""
    if "\0" in str(written):
        yield Mistake("bad-value", "a path can't hold the character U+0000", path)
    elif set("*?") & set("".join(_literal_parts(written))):
        message = f"a task writes files by their names, and `{short(str(written), 80)}` is a pattern"
        yield Mistake("bad-value", message, path, advice="name the files; patterns are for `inputs`")
    elif is_path(written) and is_special(os.path.join(folder, written)):
        return  # such as /dev/null: everybody may write there
    elif _scopes(written) & {"item", "matrix"}:
        yield from _of_items(step, written, path, data, folder, first)
    elif written and _is_many(step) and isinstance(written, str | Template | Reference):
        message = f"each task writes `{short(str(written), 80)}`: the last one's would be left"
        yield Mistake("written-twice", message, path, advice=f"put {_reference_for(step)} in it")
    elif is_path(written):
        yield from _literal(written, path, folder, first)


def _literal_parts(written: Any) -> list[str]:
    parts = written.parts if isinstance(written, Template) else (written,)
    return [part for part in parts if isinstance(part, str)]


def _literal(written: str, path: Path, folder: str, first: dict[str, Path]) -> Iterator[Mistake]:
    file = _absolute(written, folder)
    if os.path.isdir(file):
        yield not_there(written, path, folder, "file")
    if file in first:
        yield _twice(written, path, first[file])
    first.setdefault(file, path)


def _absolute(written: str, folder: str) -> str:
    return os.path.normpath(os.path.join(folder, written))


def _twice(written: str, path: Path, first: Path) -> Mistake:
    message = f"`{short(written, 80)}` is written twice: the one would overwrite the other"
    return Mistake("written-twice", message, path, first=first)


def _of_items(
    step: StepData, written: Reference | Template, path: Path, data: Data, folder: str, first: dict[str, Path]
) -> Iterator[Mistake]:
    """Yield a mistake if two items have one file, or one has that of another step."""
    seen: dict[str, Any] = {}
    base = _base(step, written, data, folder)
    for item in islice(_known_items(step, data, folder), MAX_ITEMS):
        try:
            name = written_out(evaluate(written, partial(_part, item)))
        except LookupError:
            return  # the mistake is reported at the reference
        file = _absolute(name, base)
        if file in seen:
            yield _of_two_items(step, written, path, name, (seen[file], item))
            break
        if file in first:
            yield _twice(name, path, first[file])
            break
        seen[file] = item
    for file in seen:
        first.setdefault(file, path)


def _base(step: StepData, written: Reference | Template, data: Data, folder: str) -> str:
    """Where `written` starts from: as an item does, the folder of the children, if it begins with a reference."""
    begins = written.parts[0] if isinstance(written, Template) else written
    return _cwd(step, data, folder) if isinstance(begins, Reference) else folder


def _cwd(step: StepData, data: Data, folder: str) -> str:
    own = step.entry.get("working_dir", data.get("working_dir"))
    return _absolute(own, folder) if is_path(own) else folder


def _of_two_items(
    step: StepData, written: Reference | Template, path: Path, name: str, items: tuple[Any, Any]
) -> Mistake:
    """The mistake, which names an axis that is missing from the file's name, or else the items."""
    named = {each.path[0] for each in references_in(written) if each.scope == "matrix"}
    axes = items[0] if "matrix" in step.entry and isinstance(items[0], dict) else {}
    for axis in axes:
        if axis not in named and axes[axis] != items[1].get(axis):
            message = f"the tasks of an axis write one file: `{short(str(axis))}` is not in its name"
            return Mistake("written-twice", message, path, advice=f"put `${{matrix.{axis}}}` in it")
    one, other = (f"`{short(written_out(item), 40)}`" for item in items)
    return Mistake("written-twice", f"two items have the file `{short(name, 80)}`: {one} and {other}", path)


def _part(item: Any, reference: Reference) -> Any:
    if reference.scope == "run":
        return str(reference)  # the same for all tasks
    return follow(item, reference.path)


def _known_items(step: StepData, data: Data, folder: str) -> Iterator[Any]:
    """Yield the items of `step` that stand in the workflow, or are existing files."""
    yield from combinations(step, data)
    for each in items_of(data):
        if each.step.path != step.path:
            continue
        if isinstance(each.written, list):
            yield from (item for item in each.written if not any(references_in(item)))
        elif each.source == "glob" and is_path(each.written["glob"]) and not _is_cut_or_later(each.written, step):
            source = known_source(each, "glob", folder, _cwd(step, data, folder))
            yield from source.items() if source is not None else ()


def _is_cut_or_later(source: dict[Any, Any], step: StepData) -> bool:
    return bool({"skip", "first"} & source.keys() or step.entry.get("needs"))


def _scopes(written: Any) -> set[str]:
    return (
        {reference.scope for reference in references_in(written)}
        if isinstance(written, Reference | Template)
        else set()
    )


def _is_many(step: StepData) -> bool:
    """Return whether `step` has, or may have, more than one task."""
    calls = [call for call in (*POOL_CALLS, *FAN_OUTS) if call in step.entry and call != "apply"]
    return any(not isinstance(step.entry[call], list) or len(step.entry[call]) > 1 for call in calls)


def _reference_for(step: StepData) -> str:
    return "`${matrix.…}`" if "matrix" in step.entry or "zip" in step.entry else "`${item}`"
