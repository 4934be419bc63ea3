"""Turns an event of a log into an object of its own class, also if a newer mprun wrote the event."""

from __future__ import annotations

import functools
import typing
from typing import Any

from pydantic import ConfigDict, ValidationError

from mprun.log.schema.events import AnyEvent, Event


class OtherEvent(Event):
    """An event that this version doesn't know, or can't describe; its keys are in `model_extra`."""

    model_config = ConfigDict(extra="allow")

    event: str


def typed(event: dict[str, Any]) -> Event:
    """Return `event` as an object of the class that describes it. `model_extra` has keys that the class doesn't know.

    Raises ValueError if `seq` or `ts` is missing or wrong.
    """
    kind = _open_classes().get(event.get("event", ""), OtherEvent)
    try:
        return kind.model_validate(event)
    except ValidationError:
        return OtherEvent.model_validate(event)


@functools.cache
def _open_classes() -> dict[str, type[Event]]:
    """Return, by name of the event, a subclass of its class that accepts further keys."""
    union = AnyEvent.model_fields["root"].annotation
    return {_name_of(member): _opened(member) for member in typing.get_args(union)}


def _name_of(member: type[Event]) -> str:
    return str(typing.get_args(member.model_fields["event"].annotation)[0])


def _opened(member: type[Event]) -> type[Event]:
    class Opened(member):  # type: ignore[misc, valid-type]
        model_config = ConfigDict(extra="allow")

    Opened.__name__ = Opened.__qualname__ = member.__name__
    return Opened
