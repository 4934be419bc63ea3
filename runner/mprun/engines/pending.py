"""The calls that a running step has yet to start, as far as one can see from outside it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Upcoming:
    """There are further calls.

    `fed_by`: the steps one of which must progress before the next call can go to a child; empty where the call can
    start at any time. `needs_room`: the step starts another child only when one has ended.
    """

    fed_by: frozenset[str] = frozenset()
    needs_room: bool = False
