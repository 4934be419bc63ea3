"""Engines turn steps into children and report what happens as events; they decide nothing about order or display."""

from __future__ import annotations

from mprun.engines.process import ProcessExecution
from mprun.engines.run import Engine
from mprun.engines.stdlib import StdlibPoolExecution
from mprun.plan import Step

# Which engine runs which kind of step.
ENGINES: dict[str, Engine] = {"process": ProcessExecution, "pool": StdlibPoolExecution}  # type: ignore[dict-item]


def engine_of(step: Step) -> Engine:
    return ENGINES[step.kind]
