"""Decides whether and when a failed call is retried: pure functions of the plan's `Retries`, for parent and child."""

from __future__ import annotations

import random
from collections.abc import Callable

from mprun.log.words import Outcome
from mprun.plan.child_spec import Retries


def may_retry(retries: Retries, attempt: int, outcome: Outcome) -> bool:
    """Return whether attempt `attempt` (from 1), which ended as `outcome`, may be followed by another one.

    For `raised`, the exception's class decides as well: see `worker.calls.retry`.
    """
    return attempt <= retries.count and outcome in retries.on


def delay_after(retries: Retries, attempt: int, uniform: Callable[[], float] = random.random) -> float:
    """Return the seconds between attempt number `attempt` and the next.

    Exponential backoff doubles the delay each time. Jitter takes a random part of it ("full jitter": M. Brooker,
    Exponential Backoff And Jitter, 2015), so that calls that failed together are not retried together.
    """
    # The bound on the exponent keeps a large count from overflowing a float; `max_delay` has long applied by then.
    factor = 2.0 ** min(attempt - 1, 60) if retries.backoff == "exponential" else 1.0
    delay = min(retries.delay * factor, retries.max_delay)
    return delay * uniform() if retries.jitter else delay
