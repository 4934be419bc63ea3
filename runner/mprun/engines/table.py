"""The table of engines: which one runs which step."""

from __future__ import annotations

from mprun.engines.local import LocalPoolExecution
from mprun.engines.process import ProcessExecution
from mprun.engines.run import Engine
from mprun.engines.stdlib import StdlibPoolExecution
from mprun.plan import ProcessStep, Step

# The engines that a pool can name. A process has but one.
POOL_ENGINES: dict[str, Engine] = {"local": LocalPoolExecution, "stdlib": StdlibPoolExecution}  # type: ignore[dict-item]


def engine_of(step: Step) -> Engine:
    return ProcessExecution if isinstance(step, ProcessStep) else POOL_ENGINES[step.engine]  # type: ignore[return-value]
