"""What a step asks for beyond the defaults, by field: for code that runs or writes plans and can't do everything.

Such a reader of plans names the fields that it knows. A field that is new is then refused, or reported, by its name
until somebody has decided about it.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import MISSING, fields

from mprun.plan.plan import Limits, Step

# What a step calls, with what, when, and where its results go: no reader of plans can do without these.
ESSENTIAL = frozenset(
    (
        *("name", "kind", "when", "needs", "condition", "surroundings", "limits", "daemon"),
        *("target", "command", "stdout", "stderr", "args", "kwargs", "initializer", "initargs", "finalizer"),
        *("call", "source", "streams", "cells", "cell", "keys", "save", "converts", "keeps", "keeps_finals"),
    )
)
# How the work is spread over children, which doesn't change what it is.
SPREADING = frozenset(("engine", "processes", "chunksize", "maxtasksperchild", "max_parallel"))


def beyond(step: Step, known: Set[str]) -> list[str]:
    """The fields of `step` and of its limits that say something and aren't among `known`."""
    return [name for name in (*said(step), *said(step.limits)) if name not in known]


def said(value: Step | Limits) -> Iterator[str]:
    """The fields of a step, or of its limits, that aren't as they are by default."""
    for field in fields(value):
        default = field.default if field.default_factory is MISSING else field.default_factory()
        if getattr(value, field.name) != default:
            yield field.name
