"""Explains who waits for what, and why it can never come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mprun.sharing.making import Role, Slot
from mprun.sharing.stuck import Party, Situation, takes

_WAITS: dict[Role, str] = {
    "lock": "waits for `{}`",
    "semaphore": "waits for `{}`",
    "event": "waits until `{}` is set",
    "condition": "waits until `{}` is notified",
    "notify": "waits until those whom it has notified through `{}` wake up",
    "barrier": "waits at `{}`",
    "rest": "waits for the rest of an object in `{}`",
    "item": "waits for something in `{}`",
    "room": "waits for room in `{}`",
    "written": "waits until what it has put into `{}` is written",
    "done": "waits until all in `{}` is done",
    "message": "waits for a message from `{}`",
}
_NOBODY: dict[Role, str] = {
    "lock": "which nobody is left to release",
    "semaphore": "which nobody is left to release",
    "event": "which nobody is left to set",
    "condition": "which nobody is left to notify",
    "notify": "of whom one was killed in its sleep",
    "barrier": "where too few are left to arrive",
    "rest": "whose writer was killed",
    "item": "into which nobody is left to put anything",
    "room": "from which nobody is left to get anything",
    "written": "from which nobody is left to get anything",
    "done": "with which nobody is left to deal",
    "message": "to which nobody is left to send one",
}


def child_in_words(party: Party) -> str:
    """`worker 2 of `count` (pid 17)`."""
    return f"worker {party.worker} of `{party.step}` (pid {party.pid})" if party.worker else _process_in_words(party)


def _process_in_words(party: Party) -> str:
    return f"`{party.step}` (pid {party.pid})"


def explain(now: Situation, parties: Sequence[Party], dead: Mapping[int, str]) -> str:
    """A sentence for each of `parties`, which are stuck; `dead` says by slot which dead child held it."""
    return "; ".join(_sentence(now, party, dead) for party in parties[:8]) + _and_more(len(parties) - 8)


def _sentence(now: Situation, party: Party, dead: Mapping[int, str]) -> str:
    assert party.waits is not None
    slot = now.slots[party.waits]
    return f"{child_in_words(party)} {_WAITS[slot.role].format(slot.thing)}, {_why(now, party, slot, dead)}"


def _why(now: Situation, party: Party, slot: Slot, dead: Mapping[int, str]) -> str:
    assert party.waits is not None
    if slot.role == "barrier":
        users = sum(slot.thing in now.uses[user.step] and not user.rests for user in now.parties)
        if users < slot.parties:
            return f"which needs {slot.parties} and has {users} left that could arrive"
        return f"which needs {slot.parties}, and all who could still arrive wait for something else"
    holders = [user for user in now.parties if user.holds.get(party.waits, 0) > 0 or takes(user, party.waits)]
    if slot.role in ("lock", "semaphore") and holders:
        return f"which {' and '.join(map(_holder, holders))} holds"
    if party.waits in dead and slot.role in ("lock", "semaphore"):
        return f"which {dead[party.waits]} held when it died"
    if slot.role == "written" and slot.lock in dead and not now.slots[slot.lock].is_free():
        return f"whose lock for writing {dead[slot.lock]} held when it died"
    others = [
        user
        for user in now.parties
        if slot.thing in now.uses[user.step] and user.pid != party.pid and not user.rests and user.waits != party.waits
    ]
    if others and slot.role not in ("lock", "semaphore", "notify", "rest"):
        return "and all who could bring that about wait for something else"
    return _NOBODY[slot.role]


def _holder(party: Party) -> str:
    return f"{child_in_words(party)}, itself waiting,"


def _and_more(count: int) -> str:
    return f"; and {count} more" if count > 0 else ""
