"""Durations as people write them: `1h30m`, `90s`, `250ms`."""

from __future__ import annotations

import re

# Also a valid ECMA regular expression, for the published schema.
DURATION_PATTERN = r"^(?=\d)(\d+(\.\d+)?h)?(\d+(\.\d+)?m(?!s))?(\d+(\.\d+)?s)?(\d+(\.\d+)?ms)?$"

_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(h|ms|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def seconds_in(text: str) -> float:
    """`text` in seconds. Raises ValueError."""
    if not re.fullmatch(DURATION_PATTERN, text, re.ASCII):
        raise ValueError(text)
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
