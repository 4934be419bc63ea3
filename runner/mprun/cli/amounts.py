"""Times and sizes as people write them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Never

from mprun.errors.exceptions import UsageError

_DAYS = re.compile(r"(\d+)(w|d|h|m|s)", re.ASCII)
_SIZE = re.compile(r"(\d+(?:\.\d+)?)([KMGT]?)i?B?", re.ASCII)
_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


def age(text: str, option: str) -> timedelta:
    """Return the time that `7d`, `12h`, `2w` or `30m` means. Raises UsageError, which names `option`."""
    found = _DAYS.fullmatch(text)
    try:
        return timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else _impossible()
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{option} takes a time such as `7d`, `12h` or `30m`, and not `{text}`") from error


def since(text: str, now: datetime) -> datetime:
    """Return the moment `7d` before `now`, or at a date such as `2026-01-31` (UTC). Raises UsageError."""
    try:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)
    except ValueError:
        pass
    try:
        return now - age(text, "--since")
    except (UsageError, OverflowError) as error:
        raise UsageError(f"--since takes a time such as `7d`, or a date such as `2026-01-31`, not `{text}`") from error


def size(text: str, option: str) -> int:
    """Return the bytes that `500M` or `2G` means. Raises UsageError, which names `option`."""
    found = _SIZE.fullmatch(text)
    try:
        return int(float(found[1]) * 1024 ** " KMGT".index(found[2] or " ")) if found else _impossible()
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{option} takes a size such as `500M` or `2G`, and not `{text}`") from error


def size_text(amount: float) -> str:
    """Return text such as `512 B`, `1.5 KiB`, `2.0 GiB`."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"


def _impossible() -> Never:
    raise ValueError
