"""The shared things in a child: what came with its Process, and what stands for `${shared.name}`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mprun.sharing import notes
from mprun.sharing.lazy import Once
from mprun.sharing.notes import Notes
from mprun.sharing.queue_writing import flush_all


@dataclass(slots=True)
class Share:
    """What one child is given: things by name, and where it notes what it does with them.

    It travels with the child's Process: at no other time do things of `multiprocessing`'s let themselves be pickled.
    """

    things: dict[str, Any]
    notes: Notes


_things: dict[str, Any] = {}


def enter(share: Share) -> None:
    """This process is the child that `share` was made for."""
    _things.update(share.things)
    notes.enter(share.notes)


def leave() -> None:
    """Wait until all that this process has put into queues is written."""
    flush_all()


def thing(name: str) -> Any:
    """What `${shared.name}` stands for in this process. Raises what making it raises, where that is to be done here."""
    found = _things[name]
    return found.value if isinstance(found, Once) else found
