"""Builds the plan of the things that children share."""

from __future__ import annotations

import os
from typing import Any

from mprun.format.workflow import Workflow
from mprun.language.targets import parse_target
from mprun.plan.plan import Abandoned, SharedThing
from mprun.sharing.kinds import arguments_of, kind_of


def shared_things(written: Workflow, folder: str) -> tuple[SharedThing, ...]:
    """Return the things that `written`, a file in `folder`, declares."""
    return tuple(_thing(name, thing, folder) for name, thing in written.shared.items())


def _thing(name: str, written: Any, folder: str) -> SharedThing:
    kind = kind_of(written)
    assert kind is not None
    abandoned: Abandoned = written.get("abandoned", "fail") if isinstance(written, dict) else "fail"
    args = tuple(_resolved(kind, each, folder) for each in arguments_of(written))
    return SharedThing(name, kind, args, abandoned)


def _resolved(kind: str, argument: Any, folder: str) -> Any:
    """Return an argument with absolute paths, parsed targets, and shapes as lists."""
    if kind == "object":
        call = parse_target(argument["call"], folder)
        return {"call": call, "args": argument.get("args", []), "kwargs": argument.get("kwargs", {})}
    if kind == "array" and "file" in argument:
        return {**argument, "file": os.path.normpath(os.path.join(folder, argument["file"]))}
    if kind == "array":
        shape = argument["shape"]
        return {**argument, "shape": shape if isinstance(shape, list) else [shape]}
    return argument
