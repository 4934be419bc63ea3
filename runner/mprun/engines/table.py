"""The table of engines: which one runs which step. An engine is imported when a step needs it."""

from __future__ import annotations

from importlib import import_module

from mprun.engines.run import Engine
from mprun.plan import ProcessStep, Step

PROCESS_ENGINE = "mprun.engines.process:ProcessExecution"
POOL_ENGINES = {
    "local": "mprun.engines.local:LocalPoolExecution",
    "stdlib": "mprun.engines.stdlib:StdlibPoolExecution",
}


def engine_of(step: Step) -> Engine:
    module, _, name = (PROCESS_ENGINE if isinstance(step, ProcessStep) else POOL_ENGINES[step.engine]).partition(":")
    return getattr(import_module(module), name)  # type: ignore[no-any-return]
