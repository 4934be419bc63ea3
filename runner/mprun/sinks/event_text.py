"""An event as a line for people: time, event, subject, and the rest in short."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mprun.sinks.text import duration, key_text, shown, value

# Keys that stand elsewhere in the line, or that are for machines.
_WHOSE = ("step", "task", "key")
_ELSEWHERE = (*_WHOSE, "seq", "ts", "event", "text", "outcome", "duration", "result", "exception.stacktrace")


def event_line(event: Mapping[str, Any]) -> str:
    """Return a line such as `09:30:00.105  task.result  squares[4]  returned 25 in 0.002 s  worker=2 attempt=1`."""
    parts = [shown(str(event.get("ts", "")))[11:23], f"{shown(event['event']):<16}", subject(event), *_gist(event)]
    parts += [f"{shown(key)}={_short(item)}" for key, item in event.items() if key not in _ELSEWHERE]
    return "  ".join(part for part in parts if part).rstrip()


def subject(event: Mapping[str, Any]) -> str:
    """Return the task or step of an event: `squares[4]`, `fetch[3] (north)`, `squares`; empty without a step."""
    if "step" not in event:
        return ""
    return shown(f"{event['step']}[{event['task']}]{key_text(event)}" if "task" in event else str(event["step"]))


def _gist(event: Mapping[str, Any]) -> list[str]:
    """Return the most important words: the text that was printed, or how the call ended."""
    if "text" in event:
        return [shown(str(event["text"]))]
    parts = []
    if "outcome" in event:
        parts.append(shown(str(event["outcome"])).replace("_", " "))
    if event.get("result") is not None:
        parts.append(value(event["result"]))
    if isinstance(event.get("duration"), int | float):
        parts.append(f"{'in ' if parts else ''}{duration(event['duration'])}")
    return [" ".join(parts)] if parts else []


def _short(item: Any) -> str:
    return shown(item) if isinstance(item, str) and item and len(item) <= 60 and " " not in item else value(item)
