"""The shared things in a child: what came with its Process, and the values of `${shared.name}`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mprun.sharing import notes
from mprun.sharing.lazy import Once
from mprun.sharing.notes import Notes
from mprun.sharing.queue_writing import flush_all


@dataclass(slots=True)
class Share:
    """What one child gets: things by name, and the memory in which it notes what it does with them.

    It travels with the child's Process. `multiprocessing` lets its things be pickled only then.
    """

    things: dict[str, Any]
    notes: Notes


_things: dict[str, Any] = {}


def enter(share: Share) -> None:
    """Enter the child for which `share` was made."""
    _things.update(share.things)
    notes.enter(share.notes)


def leave() -> None:
    """Wait until everything that this process has put into queues is written."""
    flush_all()


def thing(name: str) -> Any:
    """The value of `${shared.name}` in this process. Where this process makes it, raises whatever that raises."""
    found = _things[name]
    return found.value if isinstance(found, Once) else found
