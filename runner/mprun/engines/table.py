"""The table of engines: which one runs which step. An engine is imported when a step needs it."""

from __future__ import annotations

from importlib import import_module

from mprun.engines.seam import Engine
from mprun.plan.plan import PoolStep, ProcessStep, Step
from mprun.sources.table import CallSource, SliceSource

PROCESS_ENGINE = "mprun.engines.process.step:ProcessExecution"
FAN_OUT_ENGINE = "mprun.engines.process.fan_out:FanOutExecution"
INLINE_ENGINE = "mprun.engines.inline.step:InlineExecution"
POOL_ENGINES = {
    "local": "mprun.engines.local.pool:LocalPoolExecution",
    "stdlib": "mprun.engines.stdlib.pool:StdlibPoolExecution",
}


def engine_of(step: Step, *, inline: bool = False) -> Engine:
    """What runs `step`; `inline`: in this process, whatever its engine."""
    module, _, name = (INLINE_ENGINE if inline else _name_of(step)).partition(":")
    return getattr(import_module(module), name)  # type: ignore[no-any-return]


def refusal(step: Step) -> str:
    """Why the engine of `step` can't run it, as a sentence; empty where it can. To be asked before the start."""
    if not isinstance(step, PoolStep) or step.engine == "local":
        return ""
    source = step.source.source if isinstance(step.source, SliceSource) else step.source
    if isinstance(source, CallSource):
        return f"the engine `{step.engine}` can't take items from a generator function: it would run within mprun"
    if step.streams:
        return f"the engine `{step.engine}` can't take results before the step that gives them has ended"
    return ""


def _name_of(step: Step) -> str:
    if not isinstance(step, ProcessStep):
        return POOL_ENGINES[step.engine]
    return PROCESS_ENGINE if step.cells is None else FAN_OUT_ENGINE
