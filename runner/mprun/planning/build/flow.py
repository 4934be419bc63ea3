"""How results flow between the steps of a plan: which are stored, and which steps stream them."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import fields, replace

from mprun.engines.table import POOL_ENGINES
from mprun.language.references import finals_of, is_finals, references_in
from mprun.plan.plan import PoolStep, Step, needed_results


def with_flow(steps: Iterable[Step], waits: Container[tuple[str, str]]) -> tuple[Step, ...]:
    """Return `steps` with the fields set that say whether results are stored, and whether steps stream.

    `waits` are pairs of a step and a step in its `needs`. Such a step uses the other's results only after its end.
    """
    all_steps = list(steps)
    referred = {name for step in all_steps for name in _referred_to(step)}
    kept = (replace(step, keeps=step.name in referred or bool(step.save)) for step in all_steps)
    return tuple(_pool_with_flow(step, referred, waits) if isinstance(step, PoolStep) else step for step in kept)


def _pool_with_flow(step: PoolStep, referred: Container[str], waits: Container[tuple[str, str]]) -> PoolStep:
    return replace(step, streams=_streams(step, waits), keeps_finals=finals_of(step.name) in referred)


def _streams(step: PoolStep, waits: Container[tuple[str, str]]) -> bool:
    needed = needed_results(step)
    if not needed or is_finals(needed) or step.call not in ("imap", "imap_unordered"):
        return False
    if "streams" in POOL_ENGINES[step.engine].refuses_items:
        return False
    return (step.name, needed) not in waits and needed not in _in_arguments(step)


def _referred_to(step: Step) -> Iterator[str]:
    """Yield the names of the results that `step` uses, as its items or cells, or in its arguments."""
    yield from _in_arguments(step)
    if needed_results(step):
        yield needed_results(step)


def _in_arguments(step: Step) -> set[str]:
    values = [getattr(step, each.name) for each in fields(step)]
    return {reference.path[0] for reference in references_in(values) if reference.scope == "results"}
