"""The table of engines, with the traits of each. It is plain data: reading it imports no engine.

No other code names an engine: loading, planning, booting and resuming ask for traits. A new engine is its own modules
and a row here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

ItemsFeature = Literal["generators", "streams"]


@dataclass(frozen=True, slots=True)
class EngineTraits:
    """`execution` is the class that runs a step, as `module:class`. `described` describes the engine in a few words.

    `refuses`: keys of a pool that it can't honour. `refuses_items`: `generators` (items that a function yields in a
    child) and `streams` (the results of a step that still runs). Both map to a reason, in words that follow "it
    can't". `logs_each_task`: each of its tasks has a line in the log. `makes_every_call`: a resumed run reuses none of
    its calls. `starts_all_at_once`: it needs slots for all its workers before it starts. `preloads`: modules that the
    fork server loads for its children. `boots_ahead`: the usual fork server may boot before mprun knows whether this
    engine is used.
    """

    execution: str
    described: str
    refuses: Mapping[str, str] = field(default_factory=dict)
    refuses_items: Mapping[ItemsFeature, str] = field(default_factory=dict)
    logs_each_task: bool = False
    makes_every_call: bool = False
    starts_all_at_once: bool = False
    preloads: tuple[str, ...] = ()
    boots_ahead: bool = True


POOL_ENGINES: dict[str, EngineTraits] = {
    "local": EngineTraits("mprun.engines.local.pool:LocalPoolExecution", "mprun's own workers"),
    # multiprocessing.Pool distributes tasks itself and doesn't say which worker has which, so mprun can't act on one.
    "stdlib": EngineTraits(
        "mprun.engines.stdlib.pool:StdlibPoolExecution",
        "literally multiprocessing.Pool",
        refuses={
            "timeout": "end a single task",
            "slow_after": "watch a single task",
            "retries": "give a task another attempt",
            "max_memory": "bound the memory of its workers",
        },
        refuses_items={
            "generators": "take items from a generator function: it would run within mprun",
            "streams": "take results before the step that gives them has ended",
        },
        logs_each_task=True,
        makes_every_call=True,
        starts_all_at_once=True,
        preloads=("mprun.worker.calls.pool_task", "multiprocessing.pool"),
        boots_ahead=False,
    ),
}
USUAL_ENGINE = "local"  # for a pool that names none; it refuses nothing
OTHER_ENGINE = next(name for name in POOL_ENGINES if name != USUAL_ENGINE)  # for examples

INLINE_ENGINE = "inline"  # for all steps of `mprun run --inline`
INLINE_EXECUTION = "mprun.engines.inline.step:InlineExecution"
PROCESS_EXECUTION = "mprun.engines.process.step:ProcessExecution"
FAN_OUT_EXECUTION = "mprun.engines.process.fan_out:FanOutExecution"

if TYPE_CHECKING:  # Pydantic makes an `enum` of the names
    PoolEngine: TypeAlias = str
    InlineEngine: TypeAlias = str
else:
    PoolEngine = Literal[tuple(POOL_ENGINES)]
    InlineEngine = Literal[INLINE_ENGINE]
