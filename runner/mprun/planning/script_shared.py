"""What children share, in a generated script: one dict of the context's own things, by the names of the workflow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from mprun.plan import SharedThing
from mprun.planning.items_code import keywords
from mprun.planning.script_names import Imports
from mprun.planning.source_text import INDENT, Code, Group, call, led, lines, literal, quoted
from mprun.sharing.kinds import MANAGED, QUEUES
from mprun.targets import Target

_ABOUT_QUEUES = """\
# In mprun a loop over a queue ends when nobody is left who could put anything into it. That is not so here: who gets
# must be told the end, such as by an object that means it."""


def shared_block(things: Sequence[SharedThing], imports: Imports) -> Iterator[str]:
    """The statements that make `shared`, which the references in a step's arguments name; none where there are none."""
    if not things:
        return
    if any(thing.kind in MANAGED for thing in things):
        yield f"{' ' * INDENT}manager = context.Manager()"
    entries = tuple(led(f"{quoted(thing.name)}: ", _made(thing, imports)) for thing in things)
    yield lines(Group("shared = {", entries, "}"), INDENT)


def _made(thing: SharedThing, imports: Imports) -> Code:
    if thing.kind in MANAGED:
        return call(f"manager.{thing.kind}", list(map(literal, thing.args)))
    if thing.kind == "object":
        (made,) = thing.args
        return call(imports.expression(made["call"]), [*map(literal, made["args"]), *keywords(made["kwargs"])])
    return call(f"context.{thing.kind}", list(map(literal, thing.args)))


def made_by(things: Iterable[SharedThing]) -> list[Target]:
    """The functions that make objects."""
    return [thing.args[0]["call"] for thing in things if thing.kind == "object"]


def about_queues(things: Iterable[SharedThing]) -> list[str]:
    """A comment on what a plain queue doesn't do."""
    return [_ABOUT_QUEUES] if any(thing.kind in QUEUES for thing in things) else []
