"""Who is stuck, as a pure decision over histories made by hand: no process, no clock."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mprun.sharing.explanations import explain
from mprun.sharing.making import Slot
from mprun.sharing.stuck import Party, Pending, Situation, is_about_to_end, may_end, one_more_helps, stuck

LOCK, OTHER, TOKENS, GATE, GO, ITEM, ROOM, COND, NOTIFY, WRITTEN = range(10)
SLOTS = (
    Slot("lock", "lock"),
    Slot("other", "lock"),
    Slot("tokens", "semaphore"),
    Slot("gate", "barrier", parties=3),
    Slot("go", "event"),
    Slot("rows", "item"),
    Slot("rows", "room"),
    Slot("cond", "condition"),
    Slot("cond", "notify"),
    Slot("rows", "written", lock=OTHER),
)
USES = dict.fromkeys("abc", frozenset({"lock", "other", "tokens", "gate", "go", "rows", "cond"})) | {"d": frozenset()}


def situation(*parties: Party, **more: Any) -> Situation:
    return Situation(SLOTS, USES, parties, **more)


def party(step: str, waits: int | None = None, **more: Any) -> Party:
    return Party(pid=ord(step), step=step, waits=waits, since=1 if waits is not None else 0, **more)


HOLDS_LOCK, HOLDS_OTHER = {"holds": {LOCK: 1}}, {"holds": {OTHER: 1}}

# The situation → the steps whose children are stuck.
SITUATIONS: dict[str, tuple[Situation, str]] = {
    "nobody waits": (situation(party("a"), party("b")), ""),
    "a lock is held by one at work": (situation(party("a", **HOLDS_LOCK), party("b", LOCK)), ""),
    "a lock is held by nobody who lives": (situation(party("a"), party("b", LOCK)), "b"),
    "a lock is about to be taken by another": (situation(party("a", wants=frozenset({LOCK})), party("b", LOCK)), ""),
    "a lock is had, for a moment as is noted, by one who waits": (
        situation(party("a", ITEM, wants=frozenset({LOCK})), party("b", LOCK), party("c", ITEM)),
        "abc",
    ),
    "all wait for a lock of a dead one": (situation(party("a", LOCK), party("b", LOCK), party("c")), "ab"),
    "two hold what the other waits for": (
        situation(party("a", OTHER, **HOLDS_LOCK), party("b", LOCK, **HOLDS_OTHER), party("c")),
        "ab",
    ),
    "a chain with a living end": (
        situation(party("a", OTHER, **HOLDS_LOCK), party("b", LOCK), party("c", **HOLDS_OTHER)),
        "",
    ),
    "a chain with a dead end": (situation(party("a", OTHER, **HOLDS_LOCK), party("b", LOCK), party("c")), "ab"),
    "one waits for itself": (situation(party("a", LOCK, **HOLDS_LOCK), party("b")), "a"),
    "a semaphore for signals": (situation(party("a", TOKENS), party("b", holds={TOKENS: -1})), ""),
    "a semaphore for signals, its giver gone": (situation(party("a", TOKENS)), "a"),
    "a semaphore whose last place is lost": (
        situation(party("a", TOKENS), party("b"), lost=frozenset({TOKENS})),
        "a",
    ),
    "a barrier that one more may reach": (situation(party("a", GATE), party("b", GATE), party("c")), ""),
    "a barrier with too few left": (situation(party("a", GATE), party("b")), "a"),
    "a barrier that a later step fills": (situation(party("a", GATE), party("b", GATE), pending=[Pending("c")]), ""),
    "a barrier that a later step fills after one who waits there": (
        situation(party("a", GATE), party("b", GATE), pending=[Pending("c", frozenset("a"))]),
        "ab",
    ),
    "a barrier that a step fills when there is room": (
        situation(
            party("a", GATE), party("b", GATE), party("d"), pending=[Pending("c", needs_room_of=frozenset("abd"))]
        ),
        "",
    ),
    "a barrier whose others take all the room": (
        situation(party("a", GATE), party("b", GATE), pending=[Pending("c", needs_room_of=frozenset("ab"))]),
        "ab",
    ),
    "an event and one at work": (situation(party("a", GO), party("b")), ""),
    "an event and one who doesn't know it": (situation(party("a", GO), party("d")), "a"),
    "an event and a worker without a task": (situation(party("a", GO), party("b", rests=True)), "a"),
    "an event and a worker that is fed by the one who waits": (
        situation(party("a", GO), party("b", fed_by=frozenset("a"))),
        "a",
    ),
    "an event and a worker that is fed by one who waits for what comes": (
        situation(party("a", GO), party("b", fed_by=frozenset("c")), party("c", LOCK), party("d", **HOLDS_LOCK)),
        "",
    ),
    "an event and a worker that is fed by one at work": (
        situation(party("a", GO), party("b", fed_by=frozenset("d")), party("d")),
        "",
    ),
    "an event and a worker that is fed by one without a task": (
        situation(party("a", GO), party("b", fed_by=frozenset("d")), party("d", rests=True)),
        "a",
    ),
    "an event and a worker that is fed by a step to come": (
        situation(party("a", GO), party("b", fed_by=frozenset("d")), pending=[Pending("d")]),
        "",
    ),
    "an event and a worker that is fed by a step after the one who waits": (
        situation(party("a", GO), party("b", fed_by=frozenset("d")), pending=[Pending("d", frozenset("a"))]),
        "a",
    ),
    "two that feed each other": (
        situation(party("a", GO), party("b", fed_by=frozenset("d")), party("d", fed_by=frozenset("b"))),
        "a",
    ),
    "a worker without a task whose pool can't end makes no room": (
        situation(party("a", GO), Party(7, "a", rests=True), pending=[Pending("c", needs_room_of=frozenset("a"))]),
        "a",
    ),
    "producer and consumer wait for each other": (situation(party("a", ROOM), party("b", ITEM)), "ab"),
    "one has put something, another is about to write": (
        situation(party("a", WRITTEN), party("b", wants=frozenset({OTHER}))),
        "",
    ),
    "one has put something, the lock for writing is a dead one's": (situation(party("a", WRITTEN), party("b")), "a"),
    "one writes, another may get": (situation(party("a", WRITTEN, **HOLDS_OTHER), party("b")), ""),
    "one writes, and nobody is there to get": (situation(party("a", WRITTEN, **HOLDS_OTHER), party("d")), "a"),
    "two are to write one after the other, and nobody gets": (
        situation(party("a", WRITTEN, **HOLDS_OTHER), party("b", WRITTEN, wants=frozenset({OTHER}))),
        "ab",
    ),
    "a consumer that starts after its producer": (
        situation(party("a", ROOM), pending=[Pending("b", frozenset("a"))]),
        "a",
    ),
    "one notifies a sleeper": (situation(party("a", NOTIFY), party("b", COND)), "ab"),
    "one notifies a dead sleeper": (situation(party("a", NOTIFY), party("b")), "a"),
    "ignored": (situation(party("a"), party("b", LOCK), ignored=frozenset({"lock"})), ""),
    "who waits for one that waits where it is ignored": (
        situation(party("a", GO, **HOLDS_LOCK), party("b", LOCK), ignored=frozenset({"go"})),
        "",
    ),
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_who_is_stuck(name: str) -> None:
    now, expected = SITUATIONS[name]
    assert "".join(sorted(party.step for party in stuck(now))) == expected


def test_what_has_become_free_holds_nobody() -> None:
    free = replace(SLOTS[LOCK], is_free=lambda: True)
    assert stuck(Situation((free,), {"a": {"lock"}}, [party("a", LOCK)])) == []


HELD_UP = {"pending": [Pending("a", needs_room_of=frozenset("a"))]}

# The situation, in which more of `a` is held up by a limit → whether one more of it helps.
ONE_MORE: dict[str, tuple[Situation, bool]] = {
    "it may put": (situation(party("a", ITEM), **HELD_UP), True),
    "it may arrive": (situation(party("a", GATE), party("b", GATE), **HELD_UP), True),
    "it may set what another step waits for": (
        situation(party("a", LOCK, **HOLDS_LOCK), party("b", GO), **HELD_UP),
        True,
    ),
    "it would wait for the same lock": (situation(party("a", LOCK, **HOLDS_LOCK), **HELD_UP), False),
    "there will be room": (situation(party("a"), party("b", ITEM), **HELD_UP), False),
    "nobody is stuck": (situation(party("b"), **HELD_UP), False),
    "a pipe is full that it may empty": (
        situation(party("a", WRITTEN, holds={OTHER: 1}), **HELD_UP),
        True,
    ),
}


@pytest.mark.parametrize("name", ONE_MORE)
def test_whether_one_more_helps(name: str) -> None:
    now, helps = ONE_MORE[name]
    assert one_more_helps(now, "a") == helps


LOOPS = {"loops": frozenset({ITEM})}

# The situation → whether the queue is about to end, whether it may end now.
QUEUES: dict[str, tuple[Situation, bool, bool]] = {
    "nobody": (situation(), False, False),
    "one who may put": (situation(party("a"), party("b", ITEM, **LOOPS)), False, False),
    "one who is to come": (situation(party("b", ITEM, **LOOPS), pending=[Pending("a")]), False, False),
    "one who comes when those have ended": (
        situation(party("b", ITEM, **LOOPS), pending=[Pending("a", frozenset("b"))]),
        True,
        True,
    ),
    "one who comes behind one who comes when those have ended": (
        situation(party("b", ITEM, **LOOPS), pending=[Pending("a", frozenset("d")), Pending("d", frozenset("b"))]),
        True,
        True,
    ),
    "one who comes when others have ended": (
        situation(party("b", ITEM, **LOOPS), party("d"), pending=[Pending("a", frozenset("d"))]),
        False,
        False,
    ),
    "all loop, one has a row yet": (situation(party("a", **LOOPS), party("b", ITEM, **LOOPS)), True, False),
    "all loop and wait": (situation(party("a", ITEM, **LOOPS), party("b", ITEM, **LOOPS)), True, True),
    "one gets": (situation(party("a", ITEM), party("b", ITEM, **LOOPS)), False, True),
    "who uses it not doesn't count": (situation(party("d"), party("b", ITEM, **LOOPS)), True, True),
}


@pytest.mark.parametrize("name", QUEUES)
def test_when_a_queue_ends(name: str) -> None:
    now, soon, over = QUEUES[name]
    assert (is_about_to_end(now, ITEM), bool(may_end(now, ITEM))) == (soon, over)


WORDS: dict[str, tuple[Situation, dict[int, str], str]] = {
    "dead holder": (
        situation(party("b", LOCK, worker=2)),
        {LOCK: "`a` (pid 9)"},
        "worker 2 of `b` (pid 98) waits for `lock`, which `a` (pid 9) held when it died",
    ),
    "living holder": (
        situation(party("a", GO, **HOLDS_LOCK), party("b", LOCK)),
        {},
        "`a` (pid 97) waits until `go` is set, and all who could bring that about wait for something else; "
        "`b` (pid 98) waits for `lock`, which `a` (pid 97), itself waiting, holds",
    ),
    "living holder, for a moment as is noted": (
        situation(party("a", ITEM, wants=frozenset({LOCK})), party("b", LOCK)),
        {},
        "`a` (pid 97) waits for something in `rows`, and all who could bring that about wait for something else; "
        "`b` (pid 98) waits for `lock`, which `a` (pid 97), itself waiting, holds",
    ),
    "barrier": (
        situation(party("a", GATE)),
        {},
        "`a` (pid 97) waits at `gate`, which needs 3 and has 1 left that could arrive",
    ),
    "nobody": (
        situation(party("a", ITEM)),
        {},
        "`a` (pid 97) waits for something in `rows`, into which nobody is left to put anything",
    ),
}


@pytest.mark.parametrize("name", WORDS)
def test_it_is_said_in_words(name: str) -> None:
    now, dead, expected = WORDS[name]
    assert explain(now, stuck(now), dead) == expected
