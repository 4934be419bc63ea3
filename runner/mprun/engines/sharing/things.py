"""The things that the children of a run share: made when a step first needs them, freed when no step needs them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from mprun.engines.sharing.manager import RunManager
from mprun.plan.plan import Plan, SharedThing, Step, shared_by
from mprun.sharing.child import Share
from mprun.sharing.making import Made, Slot, Workshop
from mprun.sharing.names import remove_left_behind
from mprun.sharing.notes import Notes
from mprun.worker.boot.process import ChildProcess
from mprun.worker.calls.calls import resolve_strict

if TYPE_CHECKING:
    from mprun.engines.seam import Events


class Sharing:
    """The shared things of a run. Calls `on_equipped(process, step)` for each child that gets some."""

    def __init__(self, plan: Plan, run_id: str, events: Events) -> None:
        self.uses = {step.name: frozenset(shared_by(step)) for step in plan.steps}
        self.on_equipped: Callable[[ChildProcess, Step], None] = _nobody
        self._declared = {thing.name: thing for thing in plan.shared}
        self._events = events
        self._manager = RunManager(plan.start_method)
        self._workshop = Workshop(plan.start_method, run_id, self._manager.get, resolve_strict)
        self._made: dict[str, Made] = {}
        remove_left_behind()

    @property
    def slots(self) -> list[Slot]:
        """The slots of the things made so far."""
        return self._workshop.slots

    @property
    def made(self) -> Iterable[Made]:
        """The things that exist now."""
        return self._made.values()

    def equip(self, process: ChildProcess, step: Step) -> None:
        """Give `process`, a child of `step` that is about to start, what it shares. Raises OSError, EOFError."""
        names = self.uses[step.name]
        if not names:
            return
        things = {name: self._get(name).value for name in sorted(names)}
        process.share = Share(things, Notes(len(self.slots)))
        self.on_equipped(process, step)

    def _get(self, name: str) -> Made:
        if name not in self._made:
            thing = self._declared[name]
            self._made[name] = self._workshop.make(thing)
            used_by = [step for step, names in self.uses.items() if name in names]
            self._events.emit("shared.made", name=name, kind=thing.kind, used_by=used_by)
        return self._made[name]

    def free_unused(self, ended: Iterable[str], totals: Callable[[SharedThing], dict[str, Any]]) -> None:
        """Free the things that only steps in `ended` use; `totals` gives the fields that the log says of each."""
        done = set(ended)
        for name in [name for name in self._made if all(s in done for s, names in self.uses.items() if name in names)]:
            made = self._made.pop(name)
            made.free()
            self._events.emit("shared.freed", name=name, kind=made.thing.kind, **totals(made.thing))

    def close(self) -> None:
        """Free everything that is left."""
        for made in self._made.values():
            made.free()
        self._made.clear()
        self._manager.close()


def _nobody(process: ChildProcess, step: Step) -> None:
    """Nobody watches."""
