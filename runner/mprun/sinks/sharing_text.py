"""The things that children shared, as text for people: how often they were used, and how full they were."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from mprun.log.reading.depths import Depths
from mprun.log.reading.sharing_story import SharingStory, ThingStory
from mprun.sinks.text import duration, plural, shown

Event = Mapping[str, Any]

CHART_WIDTH = 40  # characters
_LEVELS = "▁▂▃▄▅▆▇█"
_MADE_ONCE = ("array", "object")


def things_text(story: SharingStory) -> list[str]:
    """Return a line for each thing, and below it how full it was and which children ended while they held it."""
    lines = [line for name, thing in story.things.items() for line in _thing(name, thing)]
    return ["shared", *lines] if lines else []


def abandoned_text(story: SharingStory) -> list[str]:
    """Return which children waited for something that could not come, where, and why it could not."""
    lines = [line for event in story.abandoned for line in abandoned_lines(event)]
    if story.more_abandoned:
        lines.append(f"and {plural(story.more_abandoned, 'more wait')} for what could not come")
    return lines


def abandoned_lines(event: Event) -> Iterator[str]:
    """Yield one `shared.abandoned` as lines."""
    yield f"{event['ts'][11:23]} {shown(event['reason'])}"
    for waiting in event["waiting"]:
        yield f"  {_child(waiting)} waited for {shown(waiting['waits_for'])}"
        yield from (f"    {shown(line)}" for line in waiting["stack"].splitlines())


def thing_text(name: str, events: Iterable[Event]) -> str:
    """Return the events of one thing, in the order of the log, as a block of text."""
    return "".join(f"{line}\n" for line in [shown(name), *(line for event in events for line in _lines(event))])


def _lines(event: Event) -> Iterator[str]:
    at = f"  {event['ts'][11:23]}"
    match event["event"]:
        case "shared.made":
            yield f"{at}  made: {shown(event['kind'])}, for {_names(event['used_by'])}"
        case "shared.depth":
            yield f"{at}  {event['depth']:,} in it"
        case "shared.ended":
            yield f"{at}  ended: nobody is left who could put anything into it"
        case "shared.orphaned":
            yield f"{at}  {_child(event)} has ended with it"
        case "shared.abandoned":
            yield from (f"  {line}" for line in abandoned_lines(event))
        case "shared.freed":
            yield f"{at}  freed: {_uses(event)}"


def _thing(name: str, thing: ThingStory) -> Iterator[str]:
    what = f"  {shown(name)}: {shown(thing.made['kind'])} of {_names(thing.made['used_by'])}"
    yield f"{what}: {_uses(thing.freed)}" if thing.freed else f"{what}: not freed yet"
    if thing.depths.most:
        yield f"    {_depth(thing.depths)}"
    yield from (f"    {_child(event)} has ended with it" for event in thing.orphaned)
    if thing.more_orphaned:
        yield f"    and {thing.more_orphaned:,} more"


def _uses(freed: Event) -> str:
    """Return text such as `1,000 put, 998 got, waited for 12 times, 3.200 s in all`."""
    uses = [f"{freed[key]:,} {word}" for key, word in (("puts", "put"), ("gets", "got")) if key in freed]
    uses += [_acquired(freed["taken"], freed["kind"])] if "taken" in freed else []
    if freed.get("waits"):
        uses.append(f"waited for {_times(freed['waits'])}, {duration(freed['waited'])} in all")
    return ", ".join(uses) or "never waited for"


def _acquired(count: int, kind: str) -> str:
    """Return how often a thing was used.

    Arrays and objects count their children: each child takes the thing's lock once, when it gets the thing.
    """
    if kind in _MADE_ONCE:
        return "given to one child" if count == 1 else f"given to {count:,} children"
    return f"taken {_times(count)}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def _depth(depths: Depths) -> str:
    if depths.least == depths.most:
        return f"{depths.most:,} in it"
    return f"{depths.least:,} to {depths.most:,} in it, median {depths.median:,}  {chart(depths.samples)}".rstrip()


def chart(values: Sequence[int]) -> str:
    """Return values over time as a row of bars. If there are too many, each bar is the highest of several values."""
    most = max(values, default=0)
    if len(values) < 2 or not most:
        return ""
    each = -(-len(values) // CHART_WIDTH)
    highest = [max(values[first : first + each]) for first in range(0, len(values), each)]
    return "".join(_LEVELS[-(-value * (len(_LEVELS) - 1) // most)] for value in highest)


def _names(names: Sequence[str]) -> str:
    return shown(", ".join(names))


def _child(event: Event) -> str:
    worker = f" {event['worker']}" if "worker" in event else ""
    return shown(f"{event['step']}{worker} (pid {event['pid']})")
