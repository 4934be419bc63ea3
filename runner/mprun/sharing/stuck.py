"""Finds the children that wait for something that can never come: a pure decision over what they hold and wait for.

A waiting child has a way out as long as another may help that isn't stuck itself: one that holds the lock, or that may
still put, notify, set or arrive. The decision removes children with a way out until none is left: the rest is stuck.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mprun.sharing.making import Slot


@dataclass(frozen=True, slots=True)
class Party:
    """One child, as far as shared things go.

    `holds` maps the slots that it holds to how often it holds them. `wants` has those that it may be taking right now.
    `waits` is the slot that it waits for without a timeout, since `since` (ns). `rests`: it has no task and will get
    none. `fed_by`: it has no task, and gets one only when one of these steps progresses. `loops` has the slots of
    queues that it loops over.
    """

    pid: int
    step: str
    worker: int = 0
    holds: Mapping[int, int] = field(default_factory=dict)
    wants: frozenset[int] = frozenset()
    waits: int | None = None
    since: int = 0
    rests: bool = False
    fed_by: frozenset[str] = frozenset()
    loops: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Pending:
    """Children of `step` that may still start, once the steps in `after` have ended.

    `needs_room_of` are steps one of whose children must end first; None where only time is in the way.
    """

    step: str
    after: frozenset[str] = frozenset()
    needs_room_of: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """All facts at one moment. `uses` maps each step to the things that its children use.

    `ignored` are things for which a child may wait forever. `lost` are the slots that dead children held.
    """

    slots: Sequence[Slot]
    uses: Mapping[str, Collection[str]]
    parties: Sequence[Party]
    pending: Sequence[Pending] = ()
    ignored: frozenset[str] = frozenset()
    lost: frozenset[int] = frozenset()


def stuck(now: Situation) -> list[Party]:
    """The children that wait for something that only they themselves could bring about."""
    waiting = {party.pid: party for party in now.parties if party.fed_by or _waits(now, party)}
    held_up = {pending.step: pending for pending in now.pending}
    changed = True
    while changed:
        free = [pid for pid, party in waiting.items() if _has_way_out(now, party, waiting, held_up)]
        can_start = [step for step, pending in held_up.items() if _can_start(now, pending, waiting, held_up)]
        for pid in free:
            del waiting[pid]
        for step in can_start:
            del held_up[step]
        changed = bool(free or can_start)
    return [party for party in waiting.values() if party.waits is not None]


def one_more_helps(now: Situation, step: str) -> bool:
    """Whether all children of `step` are stuck, and one more of them could bring about what stuck children wait for."""
    children = {party.pid for party in now.parties if party.step == step}
    before = {party.pid for party in stuck(now)}
    if not children or not children <= before:
        return False
    others = [pending for pending in now.pending if pending.step != step]
    return not before <= {party.pid for party in stuck(replace(now, pending=(*others, Pending(step))))}


def _waits(now: Situation, party: Party) -> bool:
    return party.waits is not None and now.slots[party.waits].thing not in now.ignored


def _has_way_out(now: Situation, party: Party, waiting: Mapping[int, Party], held_up: Mapping[str, Pending]) -> bool:
    if party.waits is None:
        return _may_be_fed(now, party, waiting, held_up)
    slot = now.slots[party.waits]
    if slot.is_free():
        return True
    helpers = _HELPERS.get(slot.role, _other_users)(now, party)
    if helpers is None:
        return False
    if any(helper.pid not in waiting for helper in helpers):
        return True
    if slot.role in _ONLY_HOLDERS and not _is_for_signals(now, party.waits):
        return False
    return any(pending.step not in held_up and slot.thing in now.uses[pending.step] for pending in now.pending)


def _may_be_fed(now: Situation, party: Party, waiting: Mapping[int, Party], held_up: Mapping[str, Pending]) -> bool:
    """Whether one of the steps that feed it can progress."""
    at_work = any(user.step in party.fed_by and user.pid not in waiting and not user.rests for user in now.parties)
    return at_work or any(pending.step in party.fed_by and pending.step not in held_up for pending in now.pending)


def _can_start(now: Situation, pending: Pending, waiting: Mapping[int, Party], held_up: Mapping[str, Pending]) -> bool:
    """Whether the step can start: the steps before it are not stuck, and there is room, or will be.

    An idle worker makes room when its pool ends.
    """
    stuck_steps = {party.step for party in waiting.values()}
    if pending.after & (stuck_steps | (held_up.keys() - {pending.step})):
        return False
    if pending.needs_room_of is None:
        return True
    at_work = [party for party in now.parties if party.step in pending.needs_room_of]
    return not at_work or any(
        party.pid not in waiting and not (party.rests and party.step in stuck_steps) for party in at_work
    )


# -- who can help


def _users(now: Situation, thing: str) -> list[Party]:
    return [party for party in now.parties if thing in now.uses[party.step] and not party.rests]


def _other_users(now: Situation, party: Party) -> list[Party] | None:
    assert party.waits is not None
    return [user for user in _users(now, now.slots[party.waits].thing) if user.pid != party.pid]


def _holders(now: Situation, party: Party) -> list[Party] | None:
    """Those who hold it, or may hold it in a moment. One that takes it and waits doesn't hold it."""
    slot = party.waits
    assert slot is not None
    if _is_for_signals(now, slot):
        return _other_users(now, party)
    return [user for user in now.parties if user.holds.get(slot, 0) > 0 or takes(user, slot)]


def takes(user: Party, slot: int) -> bool:
    """Whether `user` takes or releases the lock right now, or holds it so briefly that only that is noted."""
    return slot in user.wants and user.waits != slot


def _is_for_signals(now: Situation, slot: int) -> bool:
    """Whether others than its takers release the semaphore: then nobody holds it."""
    if now.slots[slot].role != "semaphore":
        return False
    taken = [party.holds.get(slot, 0) for party in now.parties]
    return min(taken, default=0) < 0 or not (any(taken) or slot in now.lost)


def _sleepers(now: Situation, party: Party) -> list[Party] | None:
    """The children that a `notify` wakes: they wait for the slot before its own."""
    assert party.waits is not None
    return [user for user in now.parties if user.waits == party.waits - 1]


def _writers(now: Situation, party: Party) -> list[Party] | None:
    """The children that write into the queue: they hold its write lock."""
    assert party.waits is not None
    return [user for user in now.parties if user.holds.get(now.slots[party.waits].lock, 0) > 0]


def _those_who_let_write(now: Situation, party: Party) -> list[Party] | None:
    """Those who may make room in the pipe, or write before; None where a dead child holds the write lock."""
    assert party.waits is not None
    lock = now.slots[party.waits].lock
    if party.holds.get(lock, 0) > 0 or now.slots[lock].is_free():
        return _other_users(now, party)
    before = [user for user in now.parties if user.holds.get(lock, 0) > 0 or lock in user.wants]
    return [user for user in before if user.pid != party.pid] or None


def _those_to_come(now: Situation, party: Party) -> list[Party] | None:
    """Those who may still arrive at a barrier; None where they are too few in any case."""
    assert party.waits is not None
    slot = now.slots[party.waits]
    users = _users(now, slot.thing)
    more = any(slot.thing in now.uses[pending.step] for pending in now.pending)
    if len(users) < slot.parties and not more:
        return None
    return [user for user in users if user.waits != party.waits]


_Helpers = Callable[[Situation, Party], "list[Party] | None"]
_HELPERS: dict[str, _Helpers] = {
    "lock": _holders,
    "semaphore": _holders,
    "notify": _sleepers,
    "rest": _writers,
    "written": _those_who_let_write,
    "barrier": _those_to_come,
}
_ONLY_HOLDERS = ("lock", "semaphore", "notify", "rest")


# -- queues


def may_end(now: Situation, slot: int) -> list[Party]:
    """The users of a queue that is over once it is empty: all wait for an object, in `slot`, and none can come.

    Empty where the queue isn't over. A child may be between two waits, so it takes two looks that see the same waits.
    """
    users = _last_users(now, slot)
    return users if all(user.waits == slot for user in users) else []


def is_about_to_end(now: Situation, slot: int) -> bool:
    """Whether all remaining users only loop over the queue whose getters wait in `slot`."""
    users = _last_users(now, slot)
    return bool(users) and all(slot in user.loops for user in users)


def _last_users(now: Situation, slot: int) -> list[Party]:
    """The children that use a queue, where no more will come, or only after these have ended."""
    thing = now.slots[slot].thing
    users = _users(now, thing)
    later = _behind(now, {user.step for user in users})
    more = any(thing in now.uses[pending.step] for pending in now.pending if pending.step not in later)
    return [] if more else users


def _behind(now: Situation, steps: set[str]) -> set[str]:
    """The steps that wait, directly or through others, for one of `steps` to end."""
    behind: set[str] = set()
    while more := {each.step for each in now.pending if each.after & (steps | behind)} - behind:
        behind |= more
    return behind


def slots_of(slots: Iterable[Slot], thing: str) -> list[int]:
    return [number for number, slot in enumerate(slots) if slot.thing == thing]
