"""What a step at work may still begin, as far as one can tell from outside it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class More:
    """There are more calls to come.

    `fed_by` are steps of which one must get on before the next call can be given to anybody; none where it may come at
    any time. `needs_room`: another child is started only when one has ended.
    """

    fed_by: frozenset[str] = frozenset()
    needs_room: bool = False
