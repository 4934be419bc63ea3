"""The log of a run as the exports read it: event by event, as often as they need."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from mprun.log.codec.event import Event, LineError, event_of
from mprun.log.reading.lines import blocks
from mprun.log.reading.regular import open_regular

RESULTS = ("task.result", "process.result")
ATTEMPTS = (*RESULTS, "task.retried", "process.retried")
FAILURES = ("raised", "lost", "timed_out", "unpicklable")


@dataclass(frozen=True)
class RunLog:
    """The log at `path`. Lines that are not events are skipped."""

    path: str

    def events(self) -> Iterator[Event]:
        """Yield all events in the order of the log."""
        with open(self.path, "rb") as file:
            for block in blocks(file):
                for line in block.split(b"\n"):
                    try:
                        event = event_of(line)
                    except LineError:
                        continue
                    yield event

    @cached_property
    def head(self) -> Event:
        """The `run.started` of the log; an empty event if there is none."""
        first = next(self.events(), {"event": ""})
        return first if first["event"] == "run.started" else {}

    @cached_property
    def needs(self) -> dict[str, list[str]]:
        """The steps that each step needs, from the plan beside the log; empty without a plan."""
        try:
            with open_regular(os.path.join(os.path.dirname(self.path), "plan.json")) as file:
                steps = json.loads(file.read())["steps"]
            return {step["name"]: list(step["needs"]) for step in steps}
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return {}


def seconds(ts: str) -> float:
    """Return the `ts` of an event in seconds since the epoch."""
    return datetime.fromisoformat(ts).timestamp()


def began(event: Event) -> float:
    """Return the start of an attempt's call in seconds since the epoch; its end, if the event has no duration."""
    return seconds(event["ts"]) - float(event.get("duration", 0.0))


def label(event: Event) -> str:
    """Return `squares[4]` for a task, `five` for a process or a step."""
    return f"{event['step']}[{event['task']}]" if "task" in event else str(event["step"])


def explanation(event: Event) -> str:
    """Return in one line why an attempt failed: `ValueError: no luck`, or the reason."""
    if "exception.type" in event:
        return f"{event['exception.type']}: {event['exception.message']}"
    return str(event.get("reason", event.get("cancelled_by", "")))


def as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
