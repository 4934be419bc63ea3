"""Rules about limits: ones that could never act, and ones that the engine or the kind of step can't keep."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from mprun.format.values import read_pool_size
from mprun.loading.mistakes import Mistake, short
from mprun.loading.rules.common import Data, StepData, seconds, steps
from mprun.planning.build.steps import pool_size
from mprun.system.machine import available_cpus

# What `multiprocessing.Pool` gives no hold for: it hands tasks out itself, and tells nobody which worker has which.
_BEYOND_STDLIB = {
    "timeout": "end a single task",
    "slow_after": "watch a single task",
    "retries": "give a task another attempt",
    "max_memory": "bound the memory of its workers",
}
ENDLESS = ("timeout", "step_timeout", "slow_after")  # what a daemon can't have


def shorter_first(data: Data) -> Iterator[Mistake]:
    """`slow_after` < `timeout` ≤ `step_timeout`: otherwise the longer of two never acts."""
    for step in steps(data):
        slow, once, whole = (seconds(step.entry.get(key)) for key in ("slow_after", "timeout", "step_timeout"))
        if slow and once and slow >= once:
            yield _never(step, "slow_after", "the `timeout` ends the call first", "timeout")
        elif slow and whole and slow >= whole:
            yield _never(step, "slow_after", "the `step_timeout` ends the step first", "step_timeout")
        if once and whole and once > whole:
            yield _never(step, "timeout", "the `step_timeout` ends the step first", "step_timeout")


def _never(step: StepData, key: str, why: str, shorter: str) -> Mistake:
    written = short(step.entry[shorter])
    return Mistake("no-effect", f"`{key}` never acts: {why}", (*step.path, key), advice=f"`{shorter}` is {written}")


def endless_daemons(data: Data) -> Iterator[Mistake]:
    """A daemon is meant to run until everything else has ended: a limit on how long that takes is a failure for sure.

    `retries` it may have: a daemon that dies too early is started again.
    """
    for step in _daemons(data):
        for key in ENDLESS:
            if key in step.entry:
                message = f"a daemon runs until the other steps have ended: it takes no `{key}`"
                yield Mistake(
                    "daemon-limit", message, (*step.path, key), "key", "the top level's `timeout` bounds it too"
                )


def _daemons(data: Data) -> list[StepData]:
    return [step for step in steps({"processes": data.get("processes")}) if step.entry.get("daemon") is True]


def stdlib_pools(data: Data) -> Iterator[Mistake]:
    """`engine: stdlib` is literally `multiprocessing.Pool`, which has none of these limits."""
    notes = ("the workflow's `engine` is `stdlib`",)
    for step in _stdlib_pools(data):
        for key, what in _BEYOND_STDLIB.items():
            if key in step.entry and not _is_off(step.entry[key]):
                message = f"the engine `stdlib` can't {what}: it has no `{key}`"
                inherited = () if "engine" in step.entry else notes
                advice = "`engine: local` has it"
                yield Mistake("engine", message, (*step.path, key), "key", advice, inherited)


def stdlib_log(data: Data) -> Iterator[Mistake]:
    """Its tasks log themselves, each as it ends."""
    log, pools = data.get("log"), _stdlib_pools(data)
    if isinstance(log, dict) and log.get("tasks") == "failures" and pools:
        message = f"the engine `stdlib` logs every task, and the pool `{short(pools[0].name)}` uses it"
        yield Mistake("engine", message, ("log", "tasks"), advice="`engine: local` can log failures only")


def _stdlib_pools(data: Data) -> list[StepData]:
    pools = steps({"pools": data.get("pools")})
    return [pool for pool in pools if pool.entry.get("engine", data.get("engine")) == "stdlib"]


def _is_off(retries: Any) -> bool:
    """No further attempts, said so: `0` or a count of it."""
    return (retries.get("count") if isinstance(retries, dict) else retries) == 0


def room_to_work(data: Data) -> Iterator[Mistake]:
    """`max_parallel` leaves a slot beside the daemons, and is wide enough for what starts its workers all at once."""
    most = data.get("max_parallel")
    if not isinstance(most, int) or isinstance(most, bool) or most < 1:
        return
    daemons = len(_daemons(data))
    room = most - daemons
    if room < 1 and daemons < len(steps(data)):
        message = "daemons run until the end and count too: no other step would ever start"
        yield Mistake("max-parallel", message, ("max_parallel",), advice=f"at least {daemons + 1}")
        return
    for pool in _stdlib_pools(data):
        count = workers(pool)
        if count > room:
            message = f"the engine `stdlib` starts all {count} workers at once, and `max_parallel` leaves {room}"
            advice = f"`processes: {room}` would fit, and `engine: local` starts fewer at once"
            if "processes" in pool.entry:
                yield Mistake("max-parallel", message, (*pool.path, "processes"), advice=advice)
            else:
                yield Mistake("max-parallel", message, pool.path, "key", advice)


def workers(pool: StepData) -> int:
    """How many workers `pool` has; 0 where what is written is no size."""
    try:
        return pool_size(read_pool_size(pool.entry.get("processes", "cpus")), available_cpus())
    except ValueError:  # PydanticCustomError is one; said elsewhere
        return 0


LIMIT_RULES: tuple[Callable[[Data], Iterator[Mistake]], ...] = (
    shorter_first,
    endless_daemons,
    stdlib_pools,
    stdlib_log,
    room_to_work,
)
