"""Plans made by hand, for tests of what is done with a plan: no YAML, no loader."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from mprun.engines.table import USUAL_ENGINE
from mprun.language.targets import Target, parse_target
from mprun.plan.child_spec import PoolCall, Surroundings
from mprun.plan.plan import Plan, PoolStep, ProcessStep, StartMethod, Step
from mprun.sources.table import ListSource, RangeSource, Source


def process(
    name: str,
    target: str,
    *args: Any,
    needs: tuple[str, ...] = (),
    daemon: bool = False,
    folder: str = "/flows",
    keeps: bool = False,
    save: str = "",
    **kwargs: Any,
) -> ProcessStep:
    around = Surroundings({}, folder, (folder,))
    needed = dict.fromkeys(needs, "succeeded")
    name_and_call = name, parse_target(target, folder), args, kwargs
    return ProcessStep(*name_and_call, daemon, needed, around, keeps=keeps, save=save)


def pool(
    name: str,
    target: str,
    source: Source | list[Any] | int = 0,
    *,
    call: PoolCall = "map",
    args: tuple[Any, ...] = (),
    kwargs: dict[str, Any] | None = None,
    processes: int = 2,
    chunksize: int = 0,
    initializer: Target | None = None,
    initargs: tuple[Any, ...] = (),
    maxtasksperchild: int = 0,
    engine: str = USUAL_ENGINE,
    needs: tuple[str, ...] = (),
    folder: str = "/flows",
    **more: Any,
) -> PoolStep:
    return PoolStep(
        name,
        parse_target(target, folder),
        call,
        ListSource((None,)) if call == "apply" else _source(source),
        args,
        kwargs or {},
        processes,
        chunksize,
        initializer,
        initargs,
        maxtasksperchild,
        engine,
        dict.fromkeys(needs, "succeeded"),
        Surroundings({}, folder, (folder,)),
        **more,
    )


def _source(source: Source | list[Any] | int) -> Source:
    if isinstance(source, int):
        return RangeSource(0, source, 1)
    return ListSource(tuple(source)) if isinstance(source, list) else source


def plan_of(
    *steps: Step,
    name: str = "by-hand",
    description: str = "",
    start_method: StartMethod = "forkserver",
    env: dict[str, str] | None = None,
    folder: str | Path = "/flows",
    pythonpath: tuple[str, ...] = (),
    grace_period: float = 5.0,
    **limits: Any,
) -> Plan:
    around = Surroundings(env or {}, str(folder), (str(folder), *pythonpath))
    steps = tuple(replace(step, surroundings=around) for step in steps)
    file = f"{folder}/{name}.yaml"
    return Plan(name, description, file, "0" * 64, start_method, grace_period, around, steps, **limits)
