"""Summarizes the things that children shared, in one pass over the events of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from mprun.log.codec.event import Event
from mprun.log.reading.depths import Depths

MAX_ORPHANED = 5  # children listed per thing
MAX_ABANDONED = 5  # waits listed that could never end


@dataclass
class ThingStory:
    """One shared thing so far. `freed` is the event of its end, empty until then.

    `orphaned` are the children that ended while they held it.
    """

    made: Event
    depths: Depths
    freed: Event = field(default_factory=dict)
    ended: bool = False
    orphaned: list[Event] = field(default_factory=list)
    more_orphaned: int = 0


class SharingStory:
    """Takes the events about shared things in the order of the log."""

    def __init__(self) -> None:
        self.things: dict[str, ThingStory] = {}
        self.abandoned: list[Event] = []
        self.more_abandoned = 0

    def take(self, event: Event) -> None:
        _TELLS[event["event"]](self, event)

    def _made(self, event: Event) -> None:
        self.things[event["name"]] = ThingStory(event, Depths(event["ts"]))

    def _freed(self, event: Event) -> None:
        if thing := self.things.get(event["name"]):
            thing.freed = event
            thing.depths.until(event["ts"])

    def _depth(self, event: Event) -> None:
        if thing := self.things.get(event["name"]):
            thing.depths.take(event["ts"], event["depth"])

    def _ended(self, event: Event) -> None:
        if thing := self.things.get(event["name"]):
            thing.ended = True

    def _orphaned(self, event: Event) -> None:
        for thing in filter(None, map(self.things.get, event["names"])):
            if len(thing.orphaned) < MAX_ORPHANED:
                thing.orphaned.append(event)
            else:
                thing.more_orphaned += 1

    def _abandoned(self, event: Event) -> None:
        if len(self.abandoned) < MAX_ABANDONED:
            self.abandoned.append(event)
        else:
            self.more_abandoned += 1


_TELLS: dict[str, Callable[[SharingStory, Event], None]] = {
    "shared.made": SharingStory._made,
    "shared.freed": SharingStory._freed,
    "shared.depth": SharingStory._depth,
    "shared.ended": SharingStory._ended,
    "shared.orphaned": SharingStory._orphaned,
    "shared.abandoned": SharingStory._abandoned,
}
ABOUT_SHARING = frozenset(_TELLS)
