"""Decides whether a failed call is retried. The child decides, because only it has the exception as an object."""

from __future__ import annotations

from typing import Any

from mprun.errors.exceptions import ConversionError, InputMissing, ItemError
from mprun.language.targets import Target, resolve
from mprun.log.words import Outcome
from mprun.plan.child_spec import Retries
from mprun.plan.retrying import delay_after, may_retry


class RetryPolicy:
    """The retry rules of one step. Their exception classes are imported when they are first needed."""

    def __init__(self, retries: Retries) -> None:
        self._retries = retries
        self._on: tuple[Any, ...] | None = None
        self._not_on: tuple[Any, ...] = ()

    def delay(self, attempt: int, outcome: Outcome, error: BaseException) -> float | None:
        """Return the seconds until the next attempt; None if there is none."""
        if not may_retry(self._retries, attempt, outcome) or not self._concerns(error):
            return None
        return delay_after(self._retries, attempt)

    def _concerns(self, error: BaseException) -> bool:
        # The next attempt would have the same argument, or the same files.
        if isinstance(error, ConversionError | InputMissing | ItemError):
            return False
        if self._on is None:
            self._on, self._not_on = _classes(self._retries.exceptions), _classes(self._retries.not_exceptions)
        return (not self._on or isinstance(error, self._on)) and not isinstance(error, self._not_on)


def _classes(targets: tuple[Target, ...]) -> tuple[Any, ...]:
    return tuple(map(resolve, targets))
