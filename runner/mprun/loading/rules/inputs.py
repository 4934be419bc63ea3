"""Rules about `inputs`: each is there before the start, or a step that is needed may write it."""

from __future__ import annotations

import fnmatch
import glob
import os
from collections.abc import Iterator, Mapping
from typing import Any

from mprun.language.references import Reference, Template, references_in
from mprun.loading.mistakes import Mistake, short
from mprun.loading.rules.common import Data, StepData, steps
from mprun.loading.rules.files import is_path, not_there
from mprun.loading.rules.outputs import entries, outputs_of
from mprun.plan.call_files import GLOB_CHARACTERS
from mprun.plan.plan import HOOKS

_SOME_TEXT = "x"  # stands for what only an item says


def input_files(data: Data, folder: str) -> Iterator[Mistake]:
    """An input of a step that needs no other is there; what another step writes is an input only after that step."""
    known = steps(data)
    needs = {step.name: _needs(step) for step in known}
    written = [(step.name, text) for step in known for text in _written_by(step, folder)]
    for step in known:
        for path, text in entries((*step.path, "inputs"), step.entry.get("inputs")):
            if "\0" in str(text):
                yield Mistake("bad-value", "a path can't hold the character U+0000", path)
            elif writer := _not_needed(step, text, written, needs, folder):
                message = f"`{short(str(text), 80)}` is written by `{short(writer)}`, which may run later"
                yield Mistake("input-without-need", message, path, advice=f"add `needs: {writer}`")
            elif is_path(text) and not needs[step.name] and not _is_there(text, folder) and not _is_hook(step):
                yield not_there(text, path, folder, "file")


def _is_hook(step: StepData) -> bool:
    return step.path[0] in HOOKS


def _is_there(text: str, folder: str) -> bool:
    where = os.path.join(folder, text)
    if GLOB_CHARACTERS & set(text) and any(glob.iglob(where, recursive=True)):
        return True
    return os.path.exists(where)


def _needs(step: StepData) -> set[str]:
    """The names of the steps that have ended when `step` starts, as it names them itself."""
    written = step.entry.get("needs")
    names = [written] if isinstance(written, str) else written if isinstance(written, list | dict) else []
    referred = [each.path[0] for each in references_in(step.entry) if each.scope == "results" and each.path]
    return {name for name in (*names, *referred) if isinstance(name, str)}


def _written_by(step: StepData, folder: str) -> Iterator[str]:
    for _, written in (*outputs_of(step), ((), step.entry.get("save"))):
        if text := _example(written):
            yield os.path.normpath(os.path.join(folder, text))


def _example(written: Any) -> str:
    """A text that `written` may be; empty where that says nothing."""
    if isinstance(written, Template):
        return "".join(part if isinstance(part, str) else _SOME_TEXT for part in written.parts)
    return written if is_path(written) else ""


def _not_needed(
    step: StepData, text: Any, written: list[tuple[str, str]], needs: Mapping[str, set[str]], folder: str
) -> str:
    """The name of a step that writes the input `text` and that `step` doesn't need; empty where there is none."""
    if isinstance(text, Reference) or not (pattern := _example(text)) or _is_hook(step):
        return ""
    pattern = os.path.normpath(os.path.join(folder, pattern))
    before = _all_needed(step.name, needs)
    return next(
        (
            name
            for name, file in written
            if name != step.name and name not in before and fnmatch.fnmatchcase(file, pattern)
        ),
        "",
    )


def _all_needed(name: str, needs: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [*needs[name]]
    while waiting:
        need = waiting.pop()
        if need not in found:
            found.add(need)
            waiting += needs.get(need, ())
    return found
