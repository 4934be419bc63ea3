"""Builds the limits of a step and the rules of its retries."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields

from mprun.format.steps import RetriesEntry, StepEntry
from mprun.format.values import RETRIED_OUTCOMES
from mprun.language.targets import Target, is_builtin_exception
from mprun.plan.child_spec import Retries
from mprun.plan.plan import Limits

ReadTarget = Callable[[str], Target]


def limits_of(entry: StepEntry, target: ReadTarget) -> Limits:
    """Return the limits of `entry`, key by key. `target` parses the name of a class."""
    written = {field.name: getattr(entry, field.name) for field in fields(Limits)}
    return Limits(**{**written, "retries": _retries(entry.retries, target) if entry.retries else Retries()})


def _retries(written: RetriesEntry, target: ReadTarget) -> Retries:
    outcomes = {text for text in written.on if text in RETRIED_OUTCOMES}
    classes = _classes((text for text in written.on if text not in outcomes), target)
    return Retries(
        count=written.count,
        delay=written.delay,
        backoff=written.backoff,
        max_delay=max(written.delay, written.max_delay),
        jitter=written.jitter,
        on=tuple(outcome for outcome in RETRIED_OUTCOMES if outcome in outcomes or (classes and outcome == "raised")),
        exceptions=classes,
        not_exceptions=_classes(written.not_on, target),
    )


def _classes(texts: Iterable[str], target: ReadTarget) -> tuple[Target, ...]:
    return tuple(
        Target(text, "builtins", "", text) if is_builtin_exception(text) else target(text)
        for text in dict.fromkeys(texts)
    )
