"""What a child needs to substitute references: values of the run, and where results are stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mprun.engines.seam import Run
from mprun.language.references import references_in
from mprun.worker.calls.scope import Scope

_NOTHING: Mapping[str, Any] = {}


def scope_for(run: Run, value: Any, given: Mapping[str, Any] = _NOTHING) -> Scope | None:
    """The scope of the references in `value`; None where no reference has one value for the whole child.

    `given` has the values, by scope, that only one call has. Raises OSError.
    """
    references = list(references_in(value))
    known = {"run": run.facts, **given}
    names = {reference.path[0] for reference in references if reference.scope == "results"}
    if not names and not any(reference.scope in (*known, "shared") for reference in references):
        return None
    return Scope(results={name: run.store.stored(name) for name in names}, given=known)
