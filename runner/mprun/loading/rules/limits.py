"""Rules about limits that could never act, and limits that the engine or the kind of step can't enforce."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from mprun.engines.table import USUAL_ENGINE
from mprun.format.values import read_pool_size
from mprun.loading.mistakes import Mistake, short
from mprun.loading.rules.common import Data, StepData, engine_of, seconds, steps
from mprun.planning.build.steps import pool_size
from mprun.system.machine import available_cpus

ENDLESS = ("timeout", "step_timeout", "slow_after")  # limits that a daemon can't have


def shorter_first(data: Data) -> Iterator[Mistake]:
    """`slow_after` < `timeout` ≤ `step_timeout`: otherwise, the longer one never acts."""
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
    """A daemon runs until everything else has ended, so a limit on its time would always fail it.

    `retries` are allowed: a daemon that dies too early is started again.
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


def beyond_the_engine(data: Data) -> Iterator[Mistake]:
    """An engine accepts the keys of its pools."""
    for pool in _pools(data):
        engine, traits = engine_of(pool, data)
        for key, what in traits.refuses.items():
            if key in pool.entry and not _is_off(pool.entry[key]):
                message = f"the engine `{engine}` can't {what}: it has no `{key}`"
                inherited = () if "engine" in pool.entry else (f"the workflow's `engine` is `{engine}`",)
                advice = f"`engine: {USUAL_ENGINE}` has it"
                yield Mistake("engine", message, (*pool.path, key), "key", advice, inherited)


def log_of_failures(data: Data) -> Iterator[Mistake]:
    """With some engines, each task logs itself as it ends, so `log: {tasks: failures}` can't work."""
    log = data.get("log")
    engines = [(engine_of(pool, data), pool) for pool in _pools(data)]
    loud = next(((engine, pool) for (engine, traits), pool in engines if traits.logs_each_task), None)
    if isinstance(log, dict) and log.get("tasks") == "failures" and loud:
        engine, pool = loud
        message = f"the engine `{engine}` logs every task, and the pool `{short(pool.name)}` uses it"
        yield Mistake("engine", message, ("log", "tasks"), advice=f"`engine: {USUAL_ENGINE}` can log failures only")


def _pools(data: Data) -> list[StepData]:
    return steps({"pools": data.get("pools")})


def _is_off(retries: Any) -> bool:
    """Return whether retries are explicitly off: `0`, or a count of 0."""
    return (retries.get("count") if isinstance(retries, dict) else retries) == 0


def room_to_work(data: Data) -> Iterator[Mistake]:
    """`max_parallel` leaves a slot beside the daemons, and has room for an engine that starts all workers at once."""
    most = data.get("max_parallel")
    if not isinstance(most, int) or isinstance(most, bool) or most < 1:
        return
    daemons = len(_daemons(data))
    room = most - daemons
    if room < 1 and daemons < len(steps(data)):
        message = "daemons run until the end and count too: no other step would ever start"
        yield Mistake("max-parallel", message, ("max_parallel",), advice=f"at least {daemons + 1}")
        return
    for pool in _pools(data):
        engine, traits = engine_of(pool, data)
        count = workers(pool) if traits.starts_all_at_once else 0
        if count > room:
            message = f"the engine `{engine}` starts all {count} workers at once, and `max_parallel` leaves {room}"
            advice = f"`processes: {room}` would fit, and `engine: {USUAL_ENGINE}` starts fewer at once"
            if "processes" in pool.entry:
                yield Mistake("max-parallel", message, (*pool.path, "processes"), advice=advice)
            else:
                yield Mistake("max-parallel", message, pool.path, "key", advice)


def workers(pool: StepData) -> int:
    """Return how many workers `pool` has; 0 if the text is not a valid size."""
    try:
        return pool_size(read_pool_size(pool.entry.get("processes", "cpus")), available_cpus())
    except ValueError:  # PydanticCustomError is one; another rule reports it
        return 0


LIMIT_RULES: tuple[Callable[[Data], Iterator[Mistake]], ...] = (
    shorter_first,
    endless_daemons,
    beyond_the_engine,
    log_of_failures,
    room_to_work,
)
