"""What the children of a run share, from its start to its end. Where they share nothing, nothing is loaded for it."""

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
    """Those of one run; `sharer` gives them to children."""

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
        """Follow what children do with them; `executions` are the steps at work."""
        if self._sharing is not None:
            from mprun.engines.sharing.watch import SharingWatch

            self._watch = SharingWatch(run, self._sharing, executions)
            self._events.add(self._watch)

    def close(self) -> None:
        """Free what is left, and log it. A second call does nothing."""
        if self._watch is not None:
            self._watch.close()
        if self._sharing is not None:
            self._sharing.close()
