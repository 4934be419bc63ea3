"""The trace format of Chrome, which Perfetto (https://ui.perfetto.dev) opens: a track per step and per worker.

Arrows lead from an attempt to the next one, and from a step to those that need it. Counters show the number of live
workers, the number of results, and the depth of each shared queue. Times are microseconds from the start of the run.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mprun.log.codec.event import Event
from mprun.log.export.run_log import ATTEMPTS, RESULTS, RunLog, as_json, began, explanation, label, seconds

STEPS = 1  # the process number of the track with the steps; the numbers of the steps' workers follow
COUNTER_INTERVAL = 0.01  # seconds between two values of a counter

Entry = dict[str, Any]


def chrome_trace(log: RunLog) -> Iterator[str]:
    """Yield the trace as pieces of JSON text."""
    yield '{"displayTimeUnit":"ms","traceEvents":[\n'
    separator = ""
    for entry in _Trace(log).entries():
        yield f"{separator}{as_json(entry)}"
        separator = ",\n"
    yield "\n]}\n"


class _Trace:
    def __init__(self, log: RunLog) -> None:
        self._log = log
        steps = [step["step"] for step in log.head.get("steps", [])]
        self._numbers = {name: number for number, name in enumerate(steps, STEPS + 1)}
        self._start = seconds(log.head["ts"]) if log.head else 0.0
        self._step_began: dict[str, float] = {}
        self._step_ended: dict[str, float] = {}
        self._failed: dict[str, Entry] = {}  # the spans of attempts that another attempt follows
        self._flows = 0
        self._workers = 0
        self._results = 0
        self._counted = 0.0

    def entries(self) -> Iterator[Entry]:
        yield self._name("process_name", STEPS, 0, "steps")
        for step, number in self._numbers.items():
            yield self._name("process_name", number, 0, step)
            yield self._name("thread_name", STEPS, number, step)
        for event in self._log.events():
            if event.get("step", "") in self._numbers:
                yield from self._entries_of(event)
            elif event["event"] in ("shared.depth", "shared.freed"):
                yield from self._depth(event)

    def _entries_of(self, event: Event) -> Iterator[Entry]:
        match event["event"]:
            case "step.started":
                self._step_began[event["step"]] = seconds(event["ts"])
            case "step.finished":
                yield from self._step(event)
            case "worker.started":
                self._workers += 1
                yield self._name(
                    "thread_name", self._numbers[event["step"]], event["worker"], f"worker {event['worker']}"
                )
                yield self._counter("workers", self._workers, seconds(event["ts"]))
            case "worker.joined":
                self._workers -= 1
                yield self._counter("workers", self._workers, seconds(event["ts"]))
            case "worker.finalized" if "duration" in event:
                track = self._numbers[event["step"]], event["worker"]
                about = {"outcome": event["outcome"]}
                yield self._span("finalizer", *track, began(event), seconds(event["ts"]), about)
            case name if name in ATTEMPTS:
                yield from self._attempt(event)

    def _step(self, event: Event) -> Iterator[Entry]:
        step, ended = event["step"], seconds(event["ts"])
        start = self._step_began.get(step, ended)
        self._step_ended[step] = ended
        span = self._span(step, STEPS, self._numbers[step], start, ended, {"outcome": event["outcome"]})
        yield span
        for need in self._log.needs.get(step, []):
            if need in self._step_ended:
                track = {"pid": STEPS, "tid": self._numbers[need]}
                yield from self._flow("needs", {**track, "ts": self._time(self._step_ended[need])}, span)

    def _attempt(self, event: Event) -> Iterator[Entry]:
        about: Entry = {"outcome": event["outcome"], "attempt": event["attempt"]}
        if why := explanation(event):
            about["why"] = why
        name = label(event)
        span = self._span(
            name, self._numbers[event["step"]], event.get("worker", 0), began(event), seconds(event["ts"]), about
        )
        yield span
        before = self._failed.pop(name, None)
        if before is not None:
            yield from self._flow("retry", {**before, "ts": before["ts"] + before["dur"]}, span)
        if event["event"] not in RESULTS:
            self._failed[name] = span
            return
        self._results += 1
        ended = seconds(event["ts"])
        if ended - self._counted >= COUNTER_INTERVAL:
            self._counted = ended
            yield self._counter("results", self._results, ended)

    def _depth(self, event: Event) -> Iterator[Entry]:
        """Yield the depth of a queue; at its end, what is left in it."""
        depth = event["depth"] if "depth" in event else event["puts"] - event["gets"] if "puts" in event else None
        if depth is not None:
            yield self._counter(f"in {event['name']}", max(0, depth), seconds(event["ts"]))

    def _span(self, name: str, pid: int, tid: int, start: float, end: float, about: Entry) -> Entry:
        track = {"pid": pid, "tid": tid, "ts": self._time(start), "dur": max(0, round((end - start) * 1e6))}
        return {"ph": "X", "name": name, "cat": about.get("outcome", ""), **track, "args": about}

    def _flow(self, name: str, start: Entry, end: Entry) -> Iterator[Entry]:
        """Yield an arrow from the place in `start` to the beginning of `end`."""
        self._flows += 1
        for phase, entry in (("s", start), ("f", end)):
            place = {key: entry[key] for key in ("pid", "tid", "ts")}
            yield {
                "ph": phase,
                "name": name,
                "cat": name,
                "id": self._flows,
                **place,
                **({"bp": "e"} if phase == "f" else {}),
            }

    def _counter(self, name: str, count: int, at: float) -> Entry:
        return {"ph": "C", "name": name, "pid": STEPS, "ts": self._time(at), "args": {name: count}}

    def _name(self, what: str, pid: int, tid: int, name: str) -> Entry:
        return {"ph": "M", "name": what, "pid": pid, "tid": tid, "args": {"name": name}}

    def _time(self, at: float) -> int:
        return round((at - self._start) * 1e6)
