"""Finds the execution that runs a step. Imports an engine when a step needs it."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

from mprun.engines.seam import Engine
from mprun.engines.table import (
    FAN_OUT_EXECUTION,
    INLINE_EXECUTION,
    POOL_ENGINES,
    PROCESS_EXECUTION,
    ItemsFeature,
)
from mprun.plan.plan import PoolStep, ProcessStep, Step
from mprun.sources.table import CallSource, whole_of


def engine_of(step: Step, *, inline: bool = False) -> Engine:
    """The engine of `step`; with `inline`, the one that makes all calls in this process."""
    module, _, name = (INLINE_EXECUTION if inline else _name_of(step)).partition(":")
    return getattr(import_module(module), name)  # type: ignore[no-any-return]


def refusal(step: PoolStep) -> str:
    """Why the engine of `step` can't run it, as a sentence; empty where it can. Call it before the start."""
    refused = POOL_ENGINES[step.engine].refuses_items
    why = next((refused[feature] for feature in _features(step) if feature in refused), "")
    return f"the engine `{step.engine}` can't {why}" if why else ""


def _features(step: PoolStep) -> Iterator[ItemsFeature]:
    if isinstance(whole_of(step.source), CallSource):
        yield "generators"
    if step.streams:
        yield "streams"


def _name_of(step: Step) -> str:
    if not isinstance(step, ProcessStep):
        return POOL_ENGINES[step.engine].execution
    return PROCESS_EXECUTION if step.cells is None else FAN_OUT_EXECUTION
