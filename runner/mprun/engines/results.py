"""The results that a child could not tell itself: the parent writes their lines in the same form."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from mprun.engines.child import Child, Ending
from mprun.events import Outcome, timestamp


def result_line(fields: Mapping[str, Any]) -> bytes:
    """The event's line without `seq`, as a child would have sent it; `ts` is now."""
    text = json.dumps({"ts": timestamp(time.time()), **fields}, ensure_ascii=False, separators=(",", ":"))
    return (text[1:] + "\n").encode()


def end_without_result(child: Child, ending: Ending) -> tuple[Outcome, dict[str, Any]]:
    """What became of the call at work when its child ended: cancelled where mprun ended the child, else lost."""
    fields = {"exitcode": ending.exitcode, "signal": ending.signal_name or None}
    if child.stopped_by:
        return "cancelled", {"outcome": "cancelled", "cancelled_by": child.stopped_by, **fields}
    return "lost", {"outcome": "lost", "reason": f"the child {ending}", **fields}
