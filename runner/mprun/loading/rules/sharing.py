"""Rules about what children share: how it is written, who refers to it, and whether it can ever work."""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Callable, Iterator
from struct import calcsize
from typing import Any

from mprun.errors.places import Path
from mprun.format.values import NAME_PATTERN
from mprun.language.references import Reference, Template, references_in
from mprun.loading.mistakes import Mistake, found, short
from mprun.loading.rules.common import Data, StepData, steps
from mprun.loading.rules.limits import workers
from mprun.loading.suggestions import did_you_mean, suggest
from mprun.sharing.kinds import KINDS, PIPES, QUEUES, arguments_of, kind_of
from mprun.system.machine import memory_size

_ABANDONED = ("fail", "ignore")
_NAMES = ", ".join(f"`{kind}`" for kind in KINDS)


def _entries(data: Data) -> Iterator[tuple[str, Path, Any]]:
    shared = data.get("shared")
    for name, written in shared.items() if isinstance(shared, dict) else ():
        if isinstance(name, str) and re.fullmatch(NAME_PATTERN, name):
            yield name, ("shared", name), written


# -- how it is written


def well_written(data: Data) -> Iterator[Mistake]:
    """Each thing has one kind, with the arguments that the kind takes."""
    for name, path, written in _entries(data):
        if isinstance(written, str):
            yield from _bare(name, path, written)
        elif isinstance(written, dict):
            yield from _with_arguments(name, path, written)
        else:
            message = f"`{short(name)}` takes a kind of thing, alone or with its arguments, not {found(written)}"
            yield Mistake("wrong-type", message, path, notes=(f"such as `Lock` or `{{Queue: 1000}}`; {_all_kinds()}",))


def _bare(name: str, path: Path, kind: str) -> Iterator[Mistake]:
    if kind not in KINDS:
        yield _no_such_kind(kind, path)
    elif not KINDS[kind].bare:
        takes = KINDS[kind].takes
        yield Mistake("bad-value", f"`{kind}` takes {takes}", path, advice=f"write `{short(name)}: {{{kind}: …}}`")


def _with_arguments(name: str, path: Path, written: dict[Any, Any]) -> Iterator[Mistake]:
    kinds = [key for key in written if key != "abandoned"]
    for kind in kinds:
        if kind not in KINDS:
            yield _no_such_kind(str(kind), (*path, kind), "key")
    if len(kinds) != 1:
        message = f"`{short(name)}` is {'no kind of thing' if not kinds else 'one kind of thing, not two'}"
        yield Mistake("bad-value", message, path, "key", notes=(_all_kinds(),))
    elif kinds[0] in KINDS:
        yield from _arguments(kinds[0], (*path, kinds[0]), written[kinds[0]])
    abandoned = written.get("abandoned", "fail")
    if abandoned not in _ABANDONED:
        message = f"`abandoned` takes `fail` or `ignore`, not {found(abandoned)}"
        yield Mistake("bad-value", message, (*path, "abandoned"))


def _arguments(kind: str, path: Path, written: Any) -> Iterator[Mistake]:
    try:
        KINDS[kind].read(written)
    except ValueError as why:
        advice = "leave it out" if KINDS[kind].bare and written is None else ""
        instead = f", not {f'`{short(written)}`' if isinstance(written, list) else found(written)}"
        message = f"`{kind}` takes {KINDS[kind].takes}{'' if isinstance(written, dict) else instead}"
        yield Mistake("bad-value", message, path, advice=advice, notes=(str(why),) if str(why) else ())


def _no_such_kind(kind: str, path: Path, at: Any = "value") -> Mistake:
    meant = did_you_mean(suggest(kind, KINDS))
    notes = () if meant else (_all_kinds(),)
    return Mistake("unknown-kind", f"there is no `{short(kind)}` to share", path, at, meant, notes)


def _all_kinds() -> str:
    return f"there is {_NAMES}"


# -- who refers to it


def known_things(data: Data) -> Iterator[Mistake]:
    """A reference names a declared thing. Only a Pipe has parts."""
    declared = {name: kind_of(written) for name, _, written in _entries(data)}
    for step in steps(data):
        for reference, path in _references(step.entry, step.path):
            name, *parts = reference.path
            if name not in declared:
                meant = did_you_mean(suggest(name, declared))
                notes = () if meant else (_declared(declared),)
                message = f"there is no shared thing `{short(name)}`"
                yield Mistake("unknown-shared", message, path, advice=meant, notes=notes, near=str(reference))
            elif parts and (declared[name] not in PIPES or parts not in (["0"], ["1"])):
                has = f"the ends `${{shared.{name}.0}}` and `.1`" if declared[name] in PIPES else "no parts"
                message = f"`{short(str(reference))}` goes too far: `{short(name)}` has {has}"
                yield Mistake("unknown-reference", message, path, near=str(reference))


def _declared(declared: dict[str, Any]) -> str:
    return f"there is {', '.join(sorted(declared)[:12])}" if declared else "the workflow declares none: add `shared:`"


def _references(value: Any, path: Path) -> Iterator[tuple[Reference, Path]]:
    if isinstance(value, Reference | Template):
        yield from ((each, path) for each in references_in(value) if each.scope == "shared")
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in pairs:
        if isinstance(item, Reference | Template | list | dict):
            yield from _references(item, (*path, key))


def _users(data: Data) -> dict[str, list[StepData]]:
    """Return the steps that refer to each thing."""
    users: dict[str, list[StepData]] = {}
    for step in steps(data):
        for name in dict.fromkeys(reference.path[0] for reference, _ in _references(step.entry, step.path)):
            users.setdefault(name, []).append(step)
    return users


# -- whether it can work


def some_user(data: Data) -> Iterator[Mistake]:
    users = _users(data)
    for name, path, written in _entries(data):
        if name not in users and kind_of(written) is not None:
            advice = f"give it to a step as `${{shared.{short(name)}}}`, or leave it out"
            yield Mistake("unused-shared", f"no step uses `{short(name)}`", path, "key", advice)


def enough_parties(data: Data) -> Iterator[Mistake]:
    """A barrier has enough children to fill it, and a thing between children has at least two of them."""
    users = _users(data)
    for name, path, written in _entries(data):
        kind, using = kind_of(written), users.get(name, [])
        counts = [_children(step, data) for step in using]
        if kind is None or not using or None in counts:
            continue
        children = sum(count for count in counts if count is not None)
        if kind == "Barrier":
            yield from _fillable(name, (*path, kind), written[kind], _at_once(children, data), using)
        elif KINDS[kind].between and children < 2:
            yield _alone(name, path, kind, using[0])


def _fillable(name: str, path: Path, parties: Any, children: int, using: list[StepData]) -> Iterator[Mistake]:
    if isinstance(parties, int) and parties > children:
        message = f"`{short(name)}` waits for {parties}, and at most {children} can be there at once"
        yield Mistake("barrier", message, path, notes=(f"it is used by {_names(using)}",))


def _alone(name: str, path: Path, kind: str, step: StepData) -> Mistake:
    why = "nobody could put what it gets" if kind in QUEUES else "nobody else could ever do what it waits for"
    message = f"only `{short(step.name)}`, which is one child, uses `{short(name)}`: {why}"
    return Mistake("one-sided", message, path, "key", f"give it to another step as `${{shared.{short(name)}}}`")


def _names(using: list[StepData]) -> str:
    return ", ".join(f"`{short(step.name)}`" for step in using)


def _children(step: StepData, data: Data) -> int | None:
    """Return how many children of `step` can run at once; None if that isn't known before the start.

    The number of CPUs, a fan-out's limit where nobody sets one, gives way to what its cells wait for.
    """
    if step.path[0] == "pools":
        return _at_work(step)
    cells = step.entry.get("foreach")
    if isinstance(cells, list):
        most = step.entry.get("max_parallel")
        return min(len(cells), most) if isinstance(most, int) else len(cells)
    return None if {"foreach", "matrix", "zip"} & step.entry.keys() else 1


def _at_work(pool: StepData) -> int | None:
    """Return how many workers of `pool` have something to do."""
    entry, size = pool.entry, workers(pool)
    if not size:
        return None
    lists = [entry[call] for call in ("map", "starmap", "imap", "imap_unordered") if isinstance(entry.get(call), list)]
    return min([size, 1] if "apply" in entry else [size, *map(len, lists)])


def _at_once(children: int, data: Data) -> int:
    most = data.get("max_parallel")
    return min(children, most) if isinstance(most, int) and not isinstance(most, bool) else children


def fits_into_memory(data: Data) -> Iterator[Mistake]:
    """An Array fits into memory. It is filled with zeros when it is made, so one that is too large takes everything."""
    for name, path, written in _entries(data):
        size = _size_of_array(written)
        if size > memory_size():
            message = f"`{short(name)}` would take {size:,} bytes, more than the memory of this machine"
            yield Mistake("too-large", message, (*path, "Array"))


def _size_of_array(written: Any) -> int:
    """Return the bytes of an Array that is written with its length; 0 for anything else."""
    try:
        code, length = arguments_of(written) if kind_of(written) == "Array" else ("b", 0)
    except ValueError:
        return 0
    return length * (1 if code in "cu" else calcsize(code)) if isinstance(length, int) else 0


SHARING_RULES: tuple[Callable[[Data], Iterator[Mistake]], ...] = (
    well_written,
    known_things,
    some_user,
    enough_parties,
    fits_into_memory,
)


def shared_files(data: Data, folder: str) -> Iterator[Mistake]:
    """The files of arrays exist, and numpy is installed."""
    for _, path, written in _entries(data):
        arguments = written.get("array") if isinstance(written, dict) else None
        if arguments is not None and importlib.util.find_spec("numpy") is None:
            yield Mistake("no-module", "`array` needs numpy", (*path, "array"), "key", "pip install 'mprun[numpy]'")
        file = arguments.get("file") if isinstance(arguments, dict) else None
        if isinstance(file, str) and file and not os.path.isfile(os.path.join(folder, file)):
            yield Mistake(
                "file-not-found", f"there is no file `{short(file, 80)}`", (*path, "array", "file"), near=file
            )
