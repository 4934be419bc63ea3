"""The table that GNU parallel writes with `--joblog`: a line per result, with tabs between the columns."""

from __future__ import annotations

import signal
from collections.abc import Iterator

from mprun.log.codec.event import Event
from mprun.log.export.run_log import RESULTS, RunLog, began, label
from mprun.sinks.text import shown

_COLUMNS = ("Seq", "Host", "Starttime", "JobRuntime", "Send", "Receive", "Exitval", "Signal", "Command")


def joblog(log: RunLog) -> Iterator[str]:
    """Yield the table line by line. `Command` is the task and the target; `Exitval` is 0 if the call returned."""
    host = shown(str(log.head.get("host", "")))
    targets: dict[str, str] = {}
    number = 0
    yield "\t".join(_COLUMNS) + "\n"
    for event in log.events():
        if event["event"] == "step.started":
            targets[event["step"]] = event["target"]
        elif event["event"] in RESULTS:
            number += 1
            times = (f"{began(event):.3f}", f"{event.get('duration', 0.0):10.3f}")
            command = shown(f"{label(event)} {targets.get(event['step'], '')}").rstrip()
            yield "\t".join((str(number), host, *times, "0", "0", *map(str, _end(event)), command)) + "\n"


def _end(event: Event) -> tuple[int, int]:
    """Return the exit value and the signal."""
    name = event.get("signal")
    if name:
        return 0, signal.Signals[name].value if name in signal.Signals.__members__ else 1
    return (0 if event["outcome"] == "returned" else event.get("exitcode") or 1), 0
