"""The interface that gives children what they share, and its stand-in for a run that shares nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from mprun.plan.plan import Step
    from mprun.worker.boot.process import ChildProcess


class Sharer(Protocol):
    """Gives children what they share."""

    def equip(self, process: ChildProcess, step: Step) -> None:
        """Give `process`, a child of `step` that is about to start, what it shares. Raises OSError, EOFError."""


class NothingShared:
    """For a run that shares nothing."""

    def equip(self, process: ChildProcess, step: Step) -> None:
        """There is nothing to give."""
