"""Results that a child could not report: the parent writes their lines, in the same form."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping
from typing import Any

from mprun.engines.child.child import Child, Ending
from mprun.engines.child.oom import kernel_kills
from mprun.log.codec.lines import open_line
from mprun.log.words import Outcome, timestamp


def result_line(fields: Mapping[str, Any]) -> bytes:
    """The event's line without `seq`, as a child sends it; `ts` is now."""
    return open_line({"ts": timestamp(time.time()), **fields})


def end_without_result(child: Child, ending: Ending) -> tuple[Outcome, dict[str, Any]]:
    """The outcome of the call that ran when its child ended, and the event's fields that say so."""
    fields: dict[str, Any] = {"exitcode": ending.exitcode, "signal": ending.signal_name or None}
    if child.verdict == "cancelled":
        return "cancelled", {"outcome": "cancelled", "cancelled_by": child.stopped_by, **fields}
    reason = child.stopped_by or f"the child {ending}"
    foreign_kill = not (child.stopped_by or ending.fault) and ending.exitcode == -signal.SIGKILL
    if foreign_kill and kernel_kills.explain_one(child.oom_kills_before):
        reason = f"{reason}: the kernel was out of memory"
        fields["oom_killer"] = True
    return child.verdict, {"outcome": child.verdict, "reason": reason, **fields}


def retry_line(event: str, about: Mapping[str, Any], fields: Mapping[str, Any], delay: float) -> bytes:
    """The line of an attempt that will be retried after `delay` seconds."""
    return result_line({"event": event, **about, **fields, "retry_in": round(delay, 6)})
