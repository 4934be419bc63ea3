"""One line as the event that it holds: the plain way to read a line, which every quicker one must agree with."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

Event = dict[str, Any]


class LineError(ValueError):
    """A line is no event; says why."""


def event_of(line: bytes) -> Event:
    """The event that `line` holds. Keys and events that this version doesn't know are as good as others.

    Raises LineError.
    """
    try:
        event = loads(line)
    except (ValueError, RecursionError) as error:
        raise LineError("it is not JSON") from error
    if not isinstance(event, dict) or not isinstance(event.get("event"), str) or type(event.get("seq")) is not int:
        raise LineError("it is not an event: a JSON object with `seq` and `event`")
    return event


def _strictly(line: bytes) -> Any:
    return json.loads(line.decode(), parse_constant=_no_constant)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _fast_loads() -> Callable[[bytes], Any]:
    """orjson where it is installed. It makes whole numbers beyond 64 bits floats: lines with such are not for it."""
    try:
        import orjson
    except ImportError:
        return _strictly
    fast = orjson.loads
    long_number = re.compile(rb"\d{19}").search

    def loads(line: bytes) -> Any:
        if long_number(line) is None:
            try:
                return fast(line)
            except ValueError:  # a float beyond its range: decided by the standard library
                pass
        return _strictly(line)

    return loads


loads = _fast_loads()  # what a JSON value is. Raises ValueError, RecursionError
