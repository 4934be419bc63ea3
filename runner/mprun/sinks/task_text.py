"""One task or process as text for people: each attempt with its arguments, output and outcome."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mprun.sinks.text import duration, shown

Event = Mapping[str, Any]


def task_text(step: str, index: int | None, events: Iterable[Event]) -> str:
    """Return the events of one task, in the order of the log, as a block of text."""
    name = step if index is None else f"{step}[{index}]"
    return "".join(f"{line}\n" for line in [shown(name), *(line for event in events for line in _lines(event))])


def _lines(event: Event) -> Iterator[str]:
    at = event["ts"][11:23]
    match event["event"]:
        case "output":
            yield f"  {at}  {event['stream']}: {shown(event['text'])}"
        case "tasks.counted":
            reused = f"reused from the run {shown(event['reused'])}: " if "reused" in event else ""
            yield f"  {at}  {reused}returned; the log keeps failures only (`log: {{tasks: failures}}`)"
        case "task.slow" | "process.slow":
            yield f"  {at}  at work for {duration(event['running_for'])}"
            yield from _indented(event["stack"])
        case "task.result" | "process.result" | "task.retried" | "process.retried":
            yield from _attempt(at, event)
        case "process.started":
            yield f"  {at}  started, pid {event['pid']}"
        case "process.joined":
            yield f"  {at}  joined, {event['signal'] or 'exit code ' + str(event['exitcode'])}"


def _attempt(at: str, event: Event) -> Iterator[str]:
    worker = f" in worker {event['worker']}" if "worker" in event else ""
    took = f" after {duration(event['duration'])}" if "duration" in event else ""
    retry = f"; tried again in {duration(event['retry_in'])}" if "retry_in" in event else ""
    reused = f"reused from the run {shown(event['reused'])}: " if "reused" in event else ""
    how = f"attempt {event['attempt']}{worker}: " if not reused else ""
    yield f"  {at}  {how}{reused}{event['outcome'].replace('_', ' ')}{took}{retry}"
    if event.get("waited") is not None:
        yield f"    waited {duration(event['waited'])}"
    for key in ("args", "kwargs", "result"):
        if key in event:
            yield f"    {key}: {shown(json.dumps(event[key], ensure_ascii=False))}"
    for key in ("key", "reason", "cancelled_by"):
        if key in event:
            yield f"    {key.replace('_', ' ')}: {shown(event[key])}"
    if "exception.type" in event:
        yield f"    {shown(event['exception.type'])}: {shown(event['exception.message'])}"
        yield from _indented(event["exception.stacktrace"])


def _indented(text: str) -> Iterator[str]:
    return (f"    {shown(line)}" for line in text.splitlines())
