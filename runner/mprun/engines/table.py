"""The table of engines: what runs the steps, and what is true of each. Plain data: reading it imports no engine.

No engine's name stands in code anywhere else. Who loads, plans, boots or resumes asks for a trait; a new engine is its
own modules and a row here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

ItemsFeature = Literal["generators", "streams"]


@dataclass(frozen=True, slots=True)
class EngineTraits:
    """`execution` is the class that runs a step, as `module:class`; `described` is the engine in a few words.

    `refuses`: the keys of a pool for which it has no hold. `refuses_items`: `generators` (items that a function yields
    in a child) and `streams` (the results of a step that still runs). Both say why, in words that follow "it can't".
    `logs_each_task`: a task can't stay out of the log. `makes_every_call`: a resumed run takes over none of its calls.
    `starts_all_at_once`: it needs room for all its workers before it begins.
    `preloads` are modules that the fork server loads for its children. `boots_ahead`: the fork server that most
    workflows need may boot before it is known whether this engine is used.
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
    # multiprocessing.Pool distributes tasks itself, and tells nobody which worker has which: mprun has no hold on one.
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
USUAL_ENGINE = "local"  # of a pool that names none; it refuses nothing
OTHER_ENGINE = next(name for name in POOL_ENGINES if name != USUAL_ENGINE)  # for examples

INLINE_ENGINE = "inline"  # of all steps where a run is asked to make its calls in its own process
INLINE_EXECUTION = "mprun.engines.inline.step:InlineExecution"
PROCESS_EXECUTION = "mprun.engines.process.step:ProcessExecution"
FAN_OUT_EXECUTION = "mprun.engines.process.fan_out:FanOutExecution"

if TYPE_CHECKING:  # for Pydantic, which makes an `enum` of the names
    PoolEngine: TypeAlias = str
    InlineEngine: TypeAlias = str
else:
    PoolEngine = Literal[tuple(POOL_ENGINES)]
    InlineEngine = Literal[INLINE_ENGINE]
