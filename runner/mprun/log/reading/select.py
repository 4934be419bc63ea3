"""Selects events of a log, and skips parsing lines that can't be wanted."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from io import BytesIO
from typing import Any

from mprun.errors.exceptions import UsageError
from mprun.language.expressions import Expression, ExpressionError, Name, names_in, read_expression, value_of
from mprun.language.references import Reference
from mprun.log.codec.event import Event, LineError, event_of
from mprun.log.codec.lines import TextSearch


@dataclass
class Selection:
    """Selects events by name (`task.*`), step, outcome, and a condition over their keys. An empty field selects all.

    `keys_seen` are the keys of all events that reached the condition.
    """

    events: Sequence[str] = ()
    steps: Sequence[str] = ()
    outcomes: Sequence[str] = ()
    condition: Expression | None = None
    keys_seen: set[str] = field(default_factory=set)
    _search: TextSearch | None = None

    @property
    def is_all(self) -> bool:
        return not (self.events or self.steps or self.outcomes or self.condition)

    def lines(self, block: bytes) -> Iterator[tuple[bytes, Event]]:
        """Yield the wanted lines of `block` with their events. A line that is not an event is skipped."""
        if not self._may_hold(block):
            return
        for line in BytesIO(block):
            if self._may_hold(line) and (event := _event(line)) is not None and self._wants(event):
                yield line, event

    def unknown_names(self) -> list[str]:
        """Return the names in the condition that no event had as a key."""
        if self.condition is None or not self.keys_seen:
            return []
        wanted = [name.parts[0] for name in names_in(self.condition) if isinstance(name, Name)]
        seen = {key.split(".")[0] for key in self.keys_seen}
        return [name for name in dict.fromkeys(wanted) if name not in seen]

    def near(self, name: str) -> list[str]:
        """Return the key that resembles `name` most, or nothing."""
        return difflib.get_close_matches(name, self.keys_seen, n=1)

    def _may_hold(self, data: bytes) -> bool:
        if self._search is None:
            literal = [] if any(set("*?[") & set(name) for name in self.events) else self.events
            self._search = TextSearch({"event": literal, "step": self.steps, "outcome": self.outcomes})
        return self._search.may_hold(data)

    def _wants(self, event: Event) -> bool:
        if self.condition is not None:
            self.keys_seen.update(event)
        return (
            (not self.events or any(fnmatchcase(event["event"], name) for name in self.events))
            and (not self.steps or event.get("step") in self.steps)
            and (not self.outcomes or event.get("outcome") in self.outcomes)
            and (self.condition is None or bool(value_of(self.condition, lambda name: _value(event, name))))
        )


def read_condition(text: str) -> Expression | None:
    """Parse `text` as a condition over the keys of an event; None if it is empty. Raises UsageError."""
    if not text:
        return None
    try:
        condition = read_expression(text)
        for name in names_in(condition):
            if isinstance(name, Reference):
                raise ExpressionError(f"an event has keys and no `{name}`", text.find("${") + 1, len(str(name)))
    except ExpressionError as error:
        mark = f"{' ' * (error.column - 1)}{'^' * max(1, min(error.length, len(text) - error.column + 1))}"
        raise UsageError(f"the condition can't be read: {error}\n  {text}\n  {mark}") from error
    return condition


def _value(event: Event, name: Name | Reference) -> Any:
    """Return the value of a key, or of what lies inside it; None if there is none."""
    if str(name) in event:
        return event[str(name)]
    value: Any = event
    for part in name.parts if isinstance(name, Name) else ():
        if isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        elif isinstance(value, dict):
            value = value.get(part)
        else:
            return None
    return value


def _event(line: bytes) -> Event | None:
    try:
        return event_of(line)
    except LineError:
        return None
