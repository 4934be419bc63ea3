"""What a child needs to put values in the place of references: gathered from the plan's values and what is kept."""

from __future__ import annotations

from typing import Any

from mprun.engines.run import Run
from mprun.references import references_in
from mprun.scope import Scope


def scope_for(run: Run, value: Any) -> Scope | None:
    """The scope of the references to results in `value`, None where there are none. Raises OSError."""
    names = {reference.path[0] for reference in references_in(value) if reference.scope == "results"}
    return Scope(results={name: run.store.stored(name) for name in names}) if names else None
