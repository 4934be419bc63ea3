"""Ends the queues of a run that are over, and logs how many objects are in each."""

from __future__ import annotations

import time

from mprun.engines.seam import Events
from mprun.engines.sharing.children import SharingChildren
from mprun.engines.sharing.things import Sharing
from mprun.plan.plan import Step
from mprun.sharing.kinds import QUEUES
from mprun.sharing.making import Made
from mprun.sharing.notes import GOTS, PUTS
from mprun.sharing.stuck import Situation, is_about_to_end, may_end, slots_of

DEPTH_INTERVAL = 1.0  # seconds between two samples of how much is in the queues

Waits = set[tuple[int, int]]  # pids, with since when each waits


class SharedQueues:
    """Looks at each `Situation`."""

    def __init__(self, events: Events, sharing: Sharing, children: SharingChildren) -> None:
        self._events = events
        self._sharing = sharing
        self._children = children
        self._ending: dict[str, Waits] = {}  # queues that were over at the last look
        self._ended: set[str] = set()
        self._depths: dict[str, int] = {}
        self._depths_logged = 0.0

    def look(self, now: Situation) -> None:
        """End each queue that is empty and over, if two looks in a row find the same waits."""
        over = {name: waits for name in self._open() if (waits := self._waits_if_over(now, name))}
        for name, waits in over.items():
            if waits == self._ending.get(name):
                self._end(name)
        self._ending = over

    def go_on_for(self, step: Step) -> None:
        """Reopen ended queues for a child that starts when all are gone for whom they ended."""
        for name in self._ended & self._sharing.uses[step.name]:
            if not any(name in self._sharing.uses[user] for user in self._children.at_work()):
                self._ended.discard(name)
                self._there()[name].value.go_on()

    def is_soon_to_end(self, now: Situation) -> bool:
        """Whether one of them may be over in a moment."""
        return any(is_about_to_end(now, _item_slot(now, name)) for name in self._open())

    def log_depths(self) -> None:
        """Log the depth of each queue that has changed, once an interval."""
        if time.monotonic() - self._depths_logged < DEPTH_INTERVAL:
            return
        self._depths_logged = time.monotonic()
        for name in self._there():
            depth = self._depth(name)
            if depth != self._depths.get(name, 0):
                self._depths[name] = depth
                self._events.emit("shared.depth", name=name, depth=max(0, depth))

    def _there(self) -> dict[str, Made]:
        return {made.thing.name: made for made in self._sharing.made if made.thing.kind in QUEUES}

    def _open(self) -> list[str]:
        return [name for name in self._there() if name not in self._ended]

    def _waits_if_over(self, now: Situation, name: str) -> Waits:
        waits = {(user.pid, user.since) for user in may_end(now, _item_slot(now, name))}
        return waits if self._depth(name) <= 0 else set()

    def _end(self, name: str) -> None:
        self._ended.add(name)
        self._there()[name].value.end()
        self._events.emit("shared.ended", name=name)

    def _depth(self, name: str) -> int:
        """Objects that were put and not got; negative where only the get is known yet."""
        return self._children.sum(name, PUTS) - self._children.sum(name, GOTS)


def _item_slot(now: Situation, queue: str) -> int:
    return next(slot for slot in slots_of(now.slots, queue) if now.slots[slot].role == "item")
