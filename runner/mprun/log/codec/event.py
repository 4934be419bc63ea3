"""Parses one line into its event. This is the reference: every faster reader must agree with it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

Event = dict[str, Any]


class LineError(ValueError):
    """A line is not an event. The message says why."""


def event_of(line: bytes) -> Event:
    """Return the event in `line`. Keys and events that this version doesn't know are accepted.

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
    """Return orjson's parser if it is installed, else the standard library's.

    orjson turns whole numbers beyond 64 bits into floats. Lines with that many digits go to the standard library.
    """
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
            except ValueError:  # a float beyond orjson's range, or no JSON at all: the standard library decides
                pass
        return _strictly(line)

    return loads


loads = _fast_loads()  # parses one JSON value; raises ValueError, RecursionError
