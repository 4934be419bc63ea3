"""The fields in which a step differs from the defaults, for code that runs or writes plans but can't do everything.

Such code names the fields that it knows. It refuses or reports a new field by its name until somebody decides about it.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import MISSING, fields

from mprun.plan.plan import Limits, Step

# What a step calls, with what, when, and where its results go: every reader of plans needs these.
ESSENTIAL = frozenset(
    (
        *("name", "kind", "when", "needs", "condition", "surroundings", "limits", "daemon"),
        *("target", "command", "stdout", "stderr", "args", "kwargs", "initializer", "initargs", "finalizer"),
        *("call", "source", "streams", "cells", "cell", "keys", "save", "converts", "keeps", "keeps_finals"),
    )
)
# How the work is spread over children, which doesn't change the work.
SPREADING = frozenset(("engine", "processes", "chunksize", "maxtasksperchild", "max_parallel"))


def beyond(step: Step, known: Set[str]) -> list[str]:
    """Return the fields of `step` and of its limits that differ from the defaults and aren't in `known`."""
    return [name for name in (*said(step), *said(step.limits)) if name not in known]


def said(value: Step | Limits) -> Iterator[str]:
    """Yield the fields of a step, or of its limits, that differ from the defaults."""
    for field in fields(value):
        default = field.default if field.default_factory is MISSING else field.default_factory()
        if getattr(value, field.name) != default:
            yield field.name
