"""The arguments of a plan's calls as Python source."""

from __future__ import annotations

from mprun.plan.plan import PoolStep, ProcessStep
from mprun.planning.show.source_text import Code, led, literal


def process_arguments(step: ProcessStep, target: str) -> list[Code]:
    """Return the arguments of `Process`, without those that have their defaults."""
    arguments: list[Code] = [f"target={target}"]
    if step.args:
        arguments.append(led("args=", literal(step.args)))
    if step.kwargs:
        arguments.append(led("kwargs=", literal(step.kwargs)))
    return [*arguments, "daemon=True"] if step.daemon else arguments


def call_arguments(step: PoolStep, function: Code, source: Code) -> list[Code]:
    """Return the arguments of the pool's method. `source` is not used for `apply`."""
    if step.call == "apply":
        given = [step.args, step.kwargs] if step.kwargs else [step.args] if step.args else []
        return [function, *map(literal, given)]
    return [function, source, f"chunksize={step.chunksize}"] if step.chunksize else [function, source]
