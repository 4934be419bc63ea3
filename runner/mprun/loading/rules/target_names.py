"""`targets`, the short names: the stage that replaces them, and the rules about them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from mprun.errors.places import Path
from mprun.language.targets import Target, parse_target
from mprun.loading.mistakes import Mistake, short
from mprun.loading.rules.common import Data, StepData, steps
from mprun.loading.source_files import FileOutput, FilesOutput, SourceFile, SourceFiles, a_mapping, each_file
from mprun.loading.stages import Output
from mprun.loading.suggestions import did_you_mean, suggest
from mprun.plan.plan import FAN_OUTS, POOL_CALLS, TARGET_KEYS


def expand_targets(files: SourceFiles) -> FilesOutput:
    """Replace the short names by the targets that they stand for. A stage."""
    return each_file(files, _expanded, needs=a_mapping)


def _expanded(file: SourceFile) -> FileOutput:
    """Replace short names. A name whose target is not one is marked as broken: the mistake is reported at `targets`."""
    named = file.data.get("targets")
    if not isinstance(named, dict):
        return Output(file)
    short_names = [(path, text) for path, text in _all_texts(file.data) if text in named]
    data = file.data
    for path, text in short_names:
        if _is_target(named[text]):
            data = _with(data, path, named[text])
    broken = [path for path, text in short_names if not _is_target(named[text])]
    return file._replace(data=data).report((), broken)


def allowed_targets(data: Any, folder: str) -> tuple[Target, ...] | None:
    """Return the only targets that the file `data` allows; None if it allows any."""
    if not isinstance(data, dict) or data.get("only_targets") is not True:
        return None
    named = data.get("targets")
    texts = named.values() if isinstance(named, dict) else ()
    return tuple(parse_target(text, folder) for text in texts if _is_target(text))


def _all_texts(data: Data) -> Iterator[tuple[Path, str]]:
    """Yield each place of steps and of shared objects that names a target, with its text."""
    for step in steps(data):
        yield from target_texts_of(step)
    shared = data.get("shared")
    for name, thing in shared.items() if isinstance(shared, dict) else ():
        made = thing.get("object") if isinstance(thing, dict) else None
        if isinstance(made, dict) and isinstance(made.get("call"), str):
            yield ("shared", name, "object", "call"), made["call"]


def target_texts_of(step: StepData) -> Iterator[tuple[Path, str]]:
    """Yield each place of a step that names a target, with its text."""
    for key in TARGET_KEYS:
        if isinstance(step.entry.get(key), str):
            yield (*step.path, key), step.entry[key]
    for key in (*POOL_CALLS, *FAN_OUTS):
        source = step.entry.get(key)
        if isinstance(source, dict) and isinstance(source.get("call"), str):
            yield (*step.path, key, "call"), source["call"]


def _with(entry: Data, path: Path, text: str) -> Data:
    key, *rest = path
    return {**entry, key: _with(entry[key], tuple(rest), text) if rest else text}


def _is_target(text: Any) -> bool:
    return isinstance(text, str) and not _why_not(text)


def _why_not(text: str) -> str:
    try:
        parse_target(text, "")
    except ValueError as error:
        return str(error)
    return ""


def target_texts(data: Data) -> Iterator[Mistake]:
    """Targets have the form that `parse_target` parses, also those in `targets`."""
    named = data.get("targets")
    named = named if isinstance(named, dict) else {}
    written: list[tuple[Path, Any]] = [(("targets", name), text) for name, text in named.items()]
    written += _all_texts(data)
    for path, text in written:
        why = _why_not(text) if isinstance(text, str) and text else ""
        if why:
            advice = did_you_mean(suggest(text, map(str, named))) if path[0] != "targets" else ""
            yield Mistake("bad-target", f"`{short(text)}` is not a target", path, advice=advice, notes=(why,))


def nothing_else(data: Data) -> Iterator[Mistake]:
    """`only_targets` comes with `targets`, and without programs."""
    if data.get("only_targets") is not True:
        return
    if not data.get("targets"):
        message = "`only_targets` lets steps call what `targets` names, and there is none"
        yield Mistake("no-targets", message, ("only_targets",), "key", "add `targets: {name: module:function}`")
    for step in steps(data):
        if "command" in step.entry:
            message = "`only_targets` lets steps call what `targets` names, and a `command` is any program"
            yield Mistake("not-allowed", message, (*step.path, "command"), "key")


TARGET_RULES: tuple[Callable[[Data], Iterator[Mistake]], ...] = (target_texts, nothing_else)
