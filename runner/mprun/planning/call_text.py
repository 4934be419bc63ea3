"""The arguments of the calls that a plan's steps are, as Python source."""

from __future__ import annotations

import glob

from mprun.plan import PoolStep, ProcessStep
from mprun.planning.source_text import Code, call, flat, led, literal, quoted
from mprun.sources import GlobSource, LinesSource, ListSource, RangeSource


def process_arguments(step: ProcessStep, target: str) -> list[Code]:
    """What `Process` is given; what the step leaves at its default is left out."""
    arguments: list[Code] = [f"target={target}"]
    if step.args:
        arguments.append(led("args=", literal(step.args)))
    if step.kwargs:
        arguments.append(led("kwargs=", literal(step.kwargs)))
    return [*arguments, "daemon=True"] if step.daemon else arguments


def pool_arguments(step: PoolStep, initializer: str) -> list[Code]:
    """What `Pool` is given; `initializer` is empty where the step has none."""
    arguments: list[Code] = [f"processes={step.processes}"]
    if initializer:
        arguments.append(f"initializer={initializer}")
    if step.initargs:
        arguments.append(led("initargs=", literal(step.initargs)))
    return [*arguments, f"maxtasksperchild={step.maxtasksperchild}"] if step.maxtasksperchild else arguments


def call_arguments(step: PoolStep, target: str, source: Code) -> list[Code]:
    """What the pool's method is given; `source` is not used for `apply`."""
    if step.call == "apply":
        given = [step.args, step.kwargs] if step.kwargs else [step.args] if step.args else []
        return [target, *map(literal, given)]
    return [target, source, f"chunksize={step.chunksize}"] if step.chunksize else [target, source]


def source_code(step: PoolStep, folder: str) -> Code:
    """The expression that, run in `folder`, gives the items of the step's source."""
    match step.source:
        case ListSource(values):
            return literal([_as_written(value, step) for value in values])
        case RangeSource():
            return flat(call("range", map(repr, _range_arguments(step.source))))
        case GlobSource(pattern):
            inside = quoted(_below(pattern, folder))
            return call("sorted", [call("glob.glob", [inside, "recursive=True"] if "**" in inside else [inside])])
        case LinesSource(path):
            return call("lines_of", [quoted(_below(path, folder))])


def _as_written(value: object, step: PoolStep) -> object:
    """The arguments of one call of `starmap` as a tuple, as people write them."""
    return tuple(value) if step.call == "starmap" and isinstance(value, list) else value


def _range_arguments(source: RangeSource) -> tuple[int, ...]:
    if source.step != 1:
        return source.start, source.stop, source.step
    return (source.start, source.stop) if source.start else (source.stop,)


def _below(path: str, folder: str) -> str:
    """`path` as it is written inside `folder`, whose special characters a pattern may hold escaped."""
    for written in (f"{glob.escape(folder)}/", f"{folder}/"):
        if path.startswith(written):
            return path.removeprefix(written)
    return path
