"""Limits in a few words for people, such as `timeout 30s, 3 retries`."""

from __future__ import annotations

from collections.abc import Iterator

from mprun.plan.child_spec import Retries
from mprun.plan.features import ESSENTIAL, SPREADING, said
from mprun.plan.plan import Limits, Plan, Step

_WORDED = ("timeout", "step_timeout", "slow_after", "retries", "max_memory", "continue_on_error")
_STEP_WORDED = ESSENTIAL | SPREADING | {"inputs", "outputs"}  # shown elsewhere, or not interesting
_UNITS = (("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1))
_SIZES = (("T", 1 << 40), ("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10))


def limits_text(limits: Limits) -> str:
    """Return the limits of a step as a list in words; empty if there are none."""
    return ", ".join(_limits(limits))


def bounds_text(step: Step) -> str:
    """Return `limits_text`, and the names of fields of the step that have no words here."""
    others = (f"{_words(name)} {getattr(step, name)}" for name in said(step) if name not in _STEP_WORDED)
    return ", ".join([*_limits(step.limits), *others])


def run_limits(plan: Plan) -> dict[str, str]:
    """Return the limits of the whole run, by name."""
    found = {
        "timeout": duration_text(plan.timeout) if plan.timeout else "",
        "max parallel": f"{plan.max_parallel:,}" if plan.max_parallel else "",
        "fail fast": "yes" if plan.fail_fast else "",
    }
    return {name: text for name, text in found.items() if text}


def _limits(limits: Limits) -> Iterator[str]:
    for name, seconds in (
        ("timeout", limits.timeout),
        ("step timeout", limits.step_timeout),
        ("slow after", limits.slow_after),
    ):
        if seconds:
            yield f"{name} {duration_text(seconds)}"
    if limits.retries.count:
        yield _retries(limits.retries)
    if limits.max_memory:
        yield f"max memory {_size(limits.max_memory)}"
    if limits.continue_on_error:
        yield "continues on error"
    yield from (f"{_words(name)} {getattr(limits, name)}" for name in said(limits) if name not in _WORDED)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _retries(retries: Retries) -> str:
    count = "1 retry" if retries.count == 1 else f"{retries.count:,} retries"
    grows = " and more" if retries.backoff == "exponential" and retries.delay else ""
    return f"{count} after {duration_text(retries.delay)}{grows}" if retries.delay else count


def duration_text(seconds: float) -> str:
    """Return `seconds`, more than 0, as a workflow has them: `1h30m`, `500ms`."""
    rest = max(1, round(seconds * 1000))
    text = ""
    for unit, size in _UNITS:
        count, rest = divmod(rest, size)
        text += f"{count}{unit}" if count else ""
    return text


def _size(count: int) -> str:
    for unit, size in _SIZES:
        if count % size == 0:
            return f"{count // size}{unit}"
    return f"{count:,} bytes"
