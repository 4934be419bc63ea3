"""Which steps share what, and the giver of what is shared in a run where nothing is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from mprun.plan import PoolStep, Step
from mprun.references import references_in

if TYPE_CHECKING:
    from mprun.worker.process import ChildProcess


def things_of(step: Step) -> frozenset[str]:
    """The names of the shared things that the children of `step` are given."""
    written: list[Any] = [step.args, step.kwargs]
    if isinstance(step, PoolStep):
        written.append(step.initargs)
    return frozenset(each.path[0] for each in references_in(written) if each.scope == "shared")


class Sharer(Protocol):
    """Gives children what they share."""

    def equip(self, process: ChildProcess, step: Step) -> None:
        """Give `process`, a child of `step` that is about to be started, what it shares. Raises OSError, EOFError."""


class NothingShared:
    """For a run in which nothing is shared."""

    def equip(self, process: ChildProcess, step: Step) -> None:
        """There is nothing to give."""
