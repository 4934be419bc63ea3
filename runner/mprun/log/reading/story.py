"""Summarizes a run in one pass over its events, in bounded memory whatever the length of the log."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mprun.log.codec.event import Event
from mprun.log.reading.sharing_story import ABOUT_SHARING, SharingStory

MAX_CAUSES = 50  # distinct causes of failures
MAX_EXAMPLES = 5  # tasks listed per cause
MAX_SLOW = 5
MAX_WORKERS = 32  # workers listed one by one; a pool may replace its workers after each task


@dataclass
class Cause:
    """Failures of one step that look alike: the first of them, their number, and some of their tasks."""

    first: Event
    count: int = 0
    tasks: list[int] = field(default_factory=list)


@dataclass
class StepStory:
    """One step so far: its start and end, its results and its retries by outcome."""

    name: str
    kind: str
    started: Event = field(default_factory=dict)
    finished: Event = field(default_factory=dict)
    skipped: str = ""
    outcomes: Counter[str] = field(default_factory=Counter)
    reused: int = 0
    retried: Counter[str] = field(default_factory=Counter)
    slow: int = 0
    printed: int = 0  # lines
    saved: Event = field(default_factory=dict)  # the path of the file with its results
    finals: Counter[str] = field(default_factory=Counter)  # calls of its workers' finalizers, by outcome


@dataclass
class WorkerStory:
    """One worker of a pool.

    `busy` is its time on tasks in seconds; `joined` is the event of its end, empty while it lives.
    """

    started: Event
    busy: float = 0.0
    tasks: int = 0
    joined: Event = field(default_factory=dict)


class Story:
    """Takes events in the order of the log. Its attributes then describe the run."""

    def __init__(self) -> None:
        self.head: Event = {}
        self.finish: Event = {}
        self.steps: dict[str, StepStory] = {}
        self.causes: dict[tuple[str, ...], Cause] = {}
        self.other_failures = 0  # beyond MAX_CAUSES
        self.stops: list[Event] = []
        self.workers: list[WorkerStory] = []
        self.deaths = 0
        self.more_workers = 0  # beyond MAX_WORKERS
        self.sharing = SharingStory()
        self._at_work: dict[tuple[str, int], WorkerStory] = {}
        self._slowest: list[tuple[float, int, Event]] = []

    def take(self, event: Event) -> None:
        """Take the next event. An unknown event, or one of an undeclared step, changes nothing."""
        if (read := _READERS.get(event["event"])) is not None:
            read(self, event)
        elif (tell_step := _TELLS_OF_STEP.get(event["event"])) is not None and (step := self._step(event)):
            tell_step(self, step, event)

    @property
    def slowest(self) -> list[Event]:
        """The results of the slowest calls, slowest first."""
        return [event for _, _, event in sorted(self._slowest, reverse=True)]

    @property
    def at_work(self) -> list[WorkerStory]:
        """The workers that started and have not ended."""
        return list(self._at_work.values())

    def _step(self, event: Event) -> StepStory | None:
        return self.steps.get(event.get("step", ""))

    def _begin(self, event: Event) -> None:
        self.head = event
        self.steps = {step["step"]: StepStory(step["step"], step["kind"]) for step in event["steps"]}

    def _finish(self, event: Event) -> None:
        self.finish = event

    def _stop(self, event: Event) -> None:
        if len(self.stops) < MAX_EXAMPLES:
            self.stops.append(event)

    def _shared(self, event: Event) -> None:
        self.sharing.take(event)

    def _started(self, step: StepStory, event: Event) -> None:
        step.started = event

    def _finished(self, step: StepStory, event: Event) -> None:
        step.finished = event

    def _skipped(self, step: StepStory, event: Event) -> None:
        step.skipped = event["reason"]

    def _result(self, step: StepStory, event: Event) -> None:
        step.outcomes[event["outcome"]] += 1
        if "reused" in event:
            step.reused += 1
        else:
            self._spent(event)
        if event["outcome"] not in ("returned", "cancelled"):
            self._failed(step, event)

    def _retried(self, step: StepStory, event: Event) -> None:
        step.retried[event["outcome"]] += 1
        self._spent(event)

    def _counted(self, step: StepStory, event: Event) -> None:
        step.outcomes["returned"] += event["returned"]
        step.reused += event["returned"] if "reused" in event else 0

    def _slow(self, step: StepStory, event: Event) -> None:
        step.slow += 1

    def _saved(self, step: StepStory, event: Event) -> None:
        step.saved = event

    def _printed(self, step: StepStory, event: Event) -> None:
        step.printed += 1

    def _finalized(self, step: StepStory, event: Event) -> None:
        step.finals[event["outcome"]] += 1
        if event["outcome"] not in ("returned", "cancelled"):
            self._failed(step, event)

    def _worker_started(self, step: StepStory, event: Event) -> None:
        self._at_work[step.name, event["worker"]] = WorkerStory(event)

    def _worker_joined(self, step: StepStory, event: Event) -> None:
        self.deaths += event["reason"] == "died"
        worker = self._at_work.pop((step.name, event["worker"]), None)
        if worker is None:
            return
        worker.joined = event
        if len(self.workers) < MAX_WORKERS:
            self.workers.append(worker)
        else:
            self.more_workers += 1

    def _spent(self, event: Event) -> None:
        """Book the time of one attempt."""
        took = event.get("duration")
        if not isinstance(took, int | float):
            return
        worker = self._at_work.get((event["step"], event.get("worker", 0)))
        if worker is not None:
            worker.busy += took
            worker.tasks += 1
        # `seq` differs in each event: the heap never compares two events, which have no order. Of equal times, the
        # earlier call wins.
        entry = (took, -event["seq"], event)
        if len(self._slowest) < MAX_SLOW:
            heapq.heappush(self._slowest, entry)
        elif entry > self._slowest[0]:
            heapq.heapreplace(self._slowest, entry)

    def _failed(self, step: StepStory, event: Event) -> None:
        key = (step.name, *cause_of(event))
        if key not in self.causes and len(self.causes) >= MAX_CAUSES:
            self.other_failures += 1
            return
        cause = self.causes.setdefault(key, Cause(event))
        cause.count += 1
        if len(cause.tasks) < MAX_EXAMPLES and "task" in event:
            cause.tasks.append(event["task"])


def cause_of(event: Event) -> tuple[str, ...]:
    """Return what similar failures share: outcome, exception and the line that raised it, or the reason."""
    frames = [line for line in str(event.get("exception.stacktrace", "")).splitlines() if line.startswith("  File ")]
    what = str(event.get("exception.type") or event.get("reason", ""))
    return (str(event["outcome"]), what, frames[-1] if frames else "")


_READERS: dict[str, Callable[[Story, Event], None]] = {
    "run.started": Story._begin,
    "run.finished": Story._finish,
    "signal.received": Story._stop,
    "stop.requested": Story._stop,
    **dict.fromkeys(ABOUT_SHARING, Story._shared),
}
_TELLS_OF_STEP: dict[str, Callable[[Story, StepStory, Event], Any]] = {
    "step.started": Story._started,
    "step.finished": Story._finished,
    "step.skipped": Story._skipped,
    "process.result": Story._result,
    "task.result": Story._result,
    "process.retried": Story._retried,
    "task.retried": Story._retried,
    "tasks.counted": Story._counted,
    "process.slow": Story._slow,
    "task.slow": Story._slow,
    "output": Story._printed,
    "results.saved": Story._saved,
    "worker.started": Story._worker_started,
    "worker.finalized": Story._finalized,
    "worker.joined": Story._worker_joined,
}
