"""Who gives children what they share, and the giver of a run in which nothing is shared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from mprun.plan.plan import Step
    from mprun.worker.boot.process import ChildProcess


class Sharer(Protocol):
    """Gives children what they share."""

    def equip(self, process: ChildProcess, step: Step) -> None:
        """Give `process`, a child of `step` that is about to be started, what it shares. Raises OSError, EOFError."""


class NothingShared:
    """For a run in which nothing is shared."""

    def equip(self, process: ChildProcess, step: Step) -> None:
        """There is nothing to give."""
