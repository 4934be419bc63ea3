"""The order of start that `needs` implies: waves of steps, each of which needs only steps of earlier waves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mprun.plan.plan import HOOKS, Step, When, when

_GROUPS = {stage: group for group, stage in HOOKS.items()}


def by_wave(steps: Iterable[Step]) -> Iterator[tuple[str, Step]]:
    """Yield (name of the wave, step) for each of `steps`, in the order of their start."""
    for stage, its_waves in _stages(steps):
        for number, wave in enumerate(its_waves, 1):
            yield from ((_wave_name(stage, number), step) for step in wave)


def _stages(steps: Iterable[Step]) -> list[tuple[When, list[list[Step]]]]:
    """Return the waves of the ordinary steps, and those of each group around them, in the order of running."""
    steps, done, found = list(steps), set[str](), []
    for stage in ("", *HOOKS.values()):
        mine = [step for step in steps if when(step) == stage]
        found += [(stage, waves(mine, done))] if mine else []
        done.update(step.name for step in mine)
    return found


def waves(steps: Iterable[Step], before: Iterable[str] = ()) -> list[list[Step]]:
    """Group `steps` into waves: each step is in the first wave before which all its needs have run.

    `before` has run already. Each wave keeps the declared order. Raises ValueError for a cycle, or for a need of an
    unknown step.
    """
    waiting = list(steps)
    done = set(before)
    found: list[list[Step]] = []
    while waiting:
        wave = [step for step in waiting if done.issuperset(step.needs)]
        if not wave:
            raise ValueError(f"these steps wait for each other, or for what isn't there: {_names(waiting)}")
        found.append(wave)
        done.update(step.name for step in wave)
        waiting = [step for step in waiting if step.name not in done]
    return found


def _wave_name(stage: When, number: int) -> str:
    """Return the name of a wave for people: its number, or the group of the steps around a run."""
    if not stage:
        return str(number)
    return _GROUPS[stage] if number == 1 else f"{_GROUPS[stage]} {number}"


def _names(steps: Iterable[Step]) -> str:
    return ", ".join(step.name for step in steps)
