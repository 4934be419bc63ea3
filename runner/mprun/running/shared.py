"""The things that the children of a run share, from its start to its end. Without any, nothing is imported for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from mprun.engines.seam import Execution, NothingShared, Run, Sharer
from mprun.plan.plan import Plan
from mprun.running.stream import EventStream

if TYPE_CHECKING:
    from mprun.engines.sharing.things import Sharing
    from mprun.engines.sharing.watch import SharingWatch


class SharedThings:
    """The shared things of one run. `sharer` passes them to children."""

    def __init__(self, plan: Plan, run_id: str, events: EventStream) -> None:
        self._events = events
        self._sharing: Sharing | None = None
        self._watch: SharingWatch | None = None
        if plan.shared:
            from mprun.engines.sharing.things import Sharing

            self._sharing = Sharing(plan, run_id, events)

    @property
    def sharer(self) -> Sharer:
        return self._sharing or NothingShared()

    def watch(self, run: Run, executions: Callable[[], Iterable[Execution]]) -> None:
        """Watch what children do with the things. `executions` returns the running steps."""
        if self._sharing is not None:
            from mprun.engines.sharing.watch import SharingWatch

            self._watch = SharingWatch(run, self._sharing, executions)
            self._events.add(self._watch)

    def close(self) -> None:
        """Free the remaining things and log that. A second call does nothing."""
        if self._watch is not None:
            self._watch.close()
        if self._sharing is not None:
            self._sharing.close()
