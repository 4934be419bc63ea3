"""What children share, in a generated script: one dict of the context's own things, by the names of the workflow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from mprun.language.targets import Target
from mprun.plan.plan import Plan, SharedThing, Step, declared_tasks, shared_by
from mprun.planning.eject.library import Used
from mprun.planning.eject.names import Imports
from mprun.planning.order import waves
from mprun.planning.show.items_code import below, keywords
from mprun.planning.show.source_text import INDENT, Code, Group, call, led, lines, literal, quoted
from mprun.sharing.kinds import MANAGED, QUEUES, in_c

_WITHOUT_END = """\
# In mprun a loop over a queue ends when nobody is left who could put anything into it. Here there
# is no loop over {}: who gets calls `get`, and must be told the end, such as by an object that means
# it: `for row in iter(queue.get, the_end)`."""
_IN_TURN = """\
# In mprun those who use {} may all be at work at the same time. Here some start only when others
# have ended: who waits for one of those that come later waits for ever."""
_TO_MEET = ("Event", "Condition", "Barrier", "Pipe", *QUEUES)


def ending_queues(plan: Plan) -> dict[str, int]:
    """The queues that can be told when nobody is left who puts, and how many processes have each of them.

    These are the ones that no pool has, whose workers don't end before it does, and no unknown number of processes.
    """
    users = {thing.name: _processes_with(thing.name, plan) for thing in plan.shared if thing.kind in QUEUES}
    return {name: count for name, count in users.items() if count is not None}


def _processes_with(name: str, plan: Plan) -> int | None:
    counts = [None if step.kind == "pool" else declared_tasks(step) for step in plan.steps if name in shared_by(step)]
    return None if None in counts else sum(count for count in counts if count is not None)


class SharedThings:
    """Writes the things of one plan: `ending` are those that `ending_queues` tells."""

    def __init__(self, plan: Plan, imports: Imports, used: Used) -> None:
        self.ending = ending_queues(plan)
        self._things = plan.shared
        self._folder = plan.surroundings.working_dir
        self._imports = imports
        self._used = used

    def statements(self) -> Iterator[str]:
        """What makes `shared`, which the references in a step's arguments name; none where there are none."""
        if not self._things:
            return
        if any(thing.kind in MANAGED for thing in self._things):
            yield f"{' ' * INDENT}manager = context.Manager()"
        entries = tuple(led(f"{quoted(thing.name)}: ", self._made(thing)) for thing in self._things)
        yield lines(Group("shared = {", entries, "}"), INDENT)

    def _made(self, thing: SharedThing) -> Code:
        if thing.kind in MANAGED:
            return call(f"manager.{thing.kind}", list(map(literal, thing.args)))
        if thing.kind == "object":
            (made,) = thing.args
            function = self._imports.expression(made["call"])
            return call(function, [*map(literal, made["args"]), *keywords(made["kwargs"])])
        if thing.kind == "array":
            return self._array(*thing.args)
        plain = call(f"context.{thing.kind}", [literal(each) for each in _as_c_has_it(thing)])
        return self._ending(plain, self.ending[thing.name]) if thing.name in self.ending else plain

    def _array(self, written: dict[str, Any]) -> Code:
        if "file" in written:
            file = quoted(below(written["file"], self._folder))
            if "mmap_mode" in written:
                return call(self._used("mapped_file"), ["context", file, quoted(written["mmap_mode"])])
            return call(self._used("array_of_file"), ["context", file])
        shape, dtype = literal(tuple(written["shape"])), quoted(written["dtype"])
        return call(self._used("shared_array"), ["context", shape, dtype])

    def _ending(self, queue: Code, users: int) -> Code:
        return call(self._used("EndingQueue"), [queue, f'context.Value("i", {users})'])


def _as_c_has_it(thing: SharedThing) -> tuple[Any, ...]:
    """The arguments of a thing, where characters of C are bytes."""
    if thing.kind not in ("Value", "Array"):
        return thing.args
    code, *content = thing.args
    of_c = partial(in_c, code)
    return (code, *(list(map(of_c, each)) if isinstance(each, list) else of_c(each) for each in content))


def made_by(things: Iterable[SharedThing]) -> list[Target]:
    """The functions that make objects."""
    return [thing.args[0]["call"] for thing in things if thing.kind == "object"]


def about_waits(plan: Plan) -> Iterator[str]:
    """Comments on where those who use a plain thing may wait for what they don't wait for in a run."""
    ending, queues = ending_queues(plan), [thing.name for thing in plan.shared if thing.kind in QUEUES]
    if without := [name for name in queues if name not in ending]:
        yield _WITHOUT_END.format(_listed(without))
    if in_turn := [thing.name for thing in plan.shared if thing.kind in _TO_MEET and _in_turn(thing.name, plan)]:
        yield _IN_TURN.format(_listed(in_turn))


def _in_turn(name: str, plan: Plan) -> bool:
    """Whether some users of a thing start in a later wave than others, though they need not wait for them."""
    earlier: set[str] = set()
    for wave in waves(plan.steps):
        users = [step for step in wave if name in shared_by(step)]
        if any(earlier - _needed_by(user, plan) for user in users):
            return True
        earlier.update(user.name for user in users)
    return False


def _needed_by(step: Step, plan: Plan) -> set[str]:
    """The names of the steps that must have ended before `step` starts."""
    needed = set(step.needs)
    return needed.union(*(_needed_by(plan.step(name), plan) for name in needed))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
