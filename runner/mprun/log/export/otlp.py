"""OpenTelemetry's JSON (OTLP/JSON), a request per line, as the collector's `otlpjsonfile` receiver reads it.

The run is the root span, the steps are its children, the attempts of calls are theirs. Lines that children printed,
signals and stops are log records. Ids are derived from the run's id, so two exports of a run are equal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from mprun.log.codec.event import Event
from mprun.log.export.run_log import ATTEMPTS, FAILURES, RunLog, as_json, began, explanation, label, seconds

BATCH = 500  # spans or log records per line

_KINDS = ("spans", "logRecords")
_LOGGED = ("output", "signal.received", "stop.requested", "task.slow", "process.slow", "worker.unready")
_BAD = 2  # the status code of a failed span
_OF_SPANS = ("task", "attempt", "worker", "outcome", "waited", "exitcode", "signal", "reason", "cancelled_by")
_EXCEPTION = ("exception.type", "exception.message", "exception.stacktrace")

Entry = dict[str, Any]


def otlp(log: RunLog) -> Iterator[str]:
    """Yield the requests, one per line."""
    export = _Export(log)
    waiting: dict[str, list[Entry]] = {kind: [] for kind in _KINDS}
    for kind, entry in export.entries():
        waiting[kind].append(entry)
        if len(waiting[kind]) >= BATCH:
            yield export.request(kind, waiting[kind])
            waiting[kind] = []
    yield from (export.request(kind, entries) for kind, entries in waiting.items() if entries)


class _Export:
    def __init__(self, log: RunLog) -> None:
        self._log = log
        self._run_id = str(log.head.get("run_id", ""))
        self._trace = hashlib.sha256(self._run_id.encode()).hexdigest()[:32]
        self._step_began: dict[str, float] = {}

    def entries(self) -> Iterator[tuple[str, Entry]]:
        for event in self._log.events():
            match event["event"]:
                case "step.started":
                    self._step_began[event["step"]] = seconds(event["ts"])
                case "step.finished":
                    yield "spans", self._step(event)
                case "run.finished":
                    yield "spans", self._run(event)
                case "worker.finalized":
                    yield "spans", self._finalizer(event)
                case name if name in ATTEMPTS:
                    yield "spans", self._attempt(event)
                case name if name in _LOGGED:
                    yield "logRecords", self._record(event)

    def request(self, kind: str, entries: list[Entry]) -> str:
        scope = {"scope": {"name": "mprun", "version": str(self._log.head.get("mprun", ""))}, kind: entries}
        names = ("resourceSpans", "scopeSpans") if kind == "spans" else ("resourceLogs", "scopeLogs")
        return as_json({names[0]: [{"resource": self._resource(), names[1]: [scope]}]}) + "\n"

    def _resource(self) -> Entry:
        head = self._log.head
        about = {
            "service.name": head.get("name", "mprun"),
            "host.name": head.get("host", ""),
            "process.pid": head.get("pid", 0),
            "process.command_args": head.get("command_line", []),
            "mprun.run_id": self._run_id,
            "mprun.workflow": head.get("workflow", ""),
        }
        return {"attributes": _attributes(about)}

    def _run(self, event: Event) -> Entry:
        start = seconds(self._log.head["ts"]) if self._log.head else began(event)
        return self._span("", str(self._log.head.get("name", "run")), start, event, None)

    def _step(self, event: Event) -> Entry:
        start = self._step_began.get(event["step"], began(event))
        return self._span(f"step {event['step']}", event["step"], start, event, "")

    def _attempt(self, event: Event) -> Entry:
        return self._call(_attempt_key(event), label(event), event)

    def _finalizer(self, event: Event) -> Entry:
        key = f"finalizer of worker {event['worker']} of {event['step']}"
        return self._call(key, f"{event['step']} finalizer", event)

    def _call(self, key: str, name: str, event: Event) -> Entry:
        span = self._span(key, name, began(event), event, f"step {event['step']}")
        if "exception.type" in event:
            about = {key: event[key] for key in _EXCEPTION if key in event}
            span["events"] = [
                {"timeUnixNano": span["endTimeUnixNano"], "name": "exception", "attributes": _attributes(about)}
            ]
        return span

    def _span(self, key: str, name: str, start: float, event: Event, parent: str | None) -> Entry:
        about = {f"mprun.{key}": event[key] for key in _OF_SPANS if event.get(key) is not None}
        failed = event["outcome"] in (*FAILURES, "failed")
        status: Entry = {"code": _BAD, "message": explanation(event)} if failed else {}
        return {
            "traceId": self._trace,
            "spanId": self._span_id(key),
            **({"parentSpanId": self._span_id(parent)} if parent is not None else {}),
            "name": name,
            "kind": 1,
            "startTimeUnixNano": _nanoseconds(start),
            "endTimeUnixNano": _nanoseconds(seconds(event["ts"])),
            "attributes": _attributes(about),
            "status": status,
        }

    def _record(self, event: Event) -> Entry:
        about = {key: value for key, value in event.items() if key not in ("seq", "ts", "event", "text")}
        warning = event["event"] != "output" or event.get("stream") == "stderr"
        return {
            "timeUnixNano": _nanoseconds(seconds(event["ts"])),
            "severityNumber": 13 if warning else 9,
            "severityText": "WARN" if warning else "INFO",
            "eventName": event["event"],
            "body": {"stringValue": str(event.get("text", event["event"]))},
            "attributes": _attributes(about),
            "traceId": self._trace,
            "spanId": self._span_id(f"step {event['step']}" if "step" in event else ""),
        }

    def _span_id(self, key: str) -> str:
        return hashlib.sha256(f"{self._run_id} {key}".encode()).hexdigest()[:16]


def _attempt_key(event: Event) -> str:
    return f"attempt {event['attempt']} of {label(event)}"


def _nanoseconds(at: float) -> str:
    """Return the time as text, as JSON needs it for 64 bits. The log's times are whole microseconds."""
    return str(round(at * 1_000_000) * 1000)


def _attributes(values: Entry) -> list[Entry]:
    return [{"key": key, "value": _value(value)} for key, value in values.items()]


def _value(value: Any) -> Entry:
    match value:
        case bool():
            return {"boolValue": value}
        case int() if -(2**63) <= value < 2**63:
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case str():
            return {"stringValue": value}
        case list():
            return {"arrayValue": {"values": list(map(_value, value))}}
    return {"stringValue": as_json(value)}
