"""Checks that a log is complete: each thing that starts ends, each task has its result, and all counts add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, BinaryIO

from mprun.log.codec.event import Event, LineError, event_of
from mprun.log.reading.lines import blocks, refuse_newer
from mprun.log.verifying.finalized import FinalizedCheck
from mprun.log.verifying.findings import Finding, Findings
from mprun.log.verifying.parse import Parsed, Returned, parse
from mprun.log.verifying.tasks import TaskRanges
from mprun.log.words import OUTCOMES

# Each child and pool that starts is joined. The keys identify it.
_PAIRS = {
    "process.started": ("process.joined", ("step", "pid")),
    "pool.started": ("pool.joined", ("step",)),
    "worker.started": ("worker.joined", ("step", "worker", "pid")),
    "source.started": ("source.joined", ("step", "pid")),
    "save.started": ("save.joined", ("step", "pid")),
}
_JOINED = {joined: (started, keys) for started, (joined, keys) in _PAIRS.items()}


def check_complete(file: BinaryIO, name: str = "the log") -> CompleteCheck:
    """Check the log `file`, called `name` in messages, to its end. Raises UsageError if its format is newer."""
    return check_parsed(map(parse, blocks(file)), name)


def check_parsed(parts: Iterable[Iterable[Parsed]], name: str) -> CompleteCheck:
    """Check a log that was parsed elsewhere; as `check_complete`."""
    check = CompleteCheck(name)
    for part in parts:
        check.take(part)
    check.end()
    return check


class CompleteCheck:
    """The check of a log so far. `head` is its `run.started`, `finish` its `run.finished`; each is empty if missing."""

    def __init__(self, name: str = "the log") -> None:
        self.head: Event = {}
        self.finish: Event = {}
        self.lines = 0
        self._name = name
        self._findings = Findings()
        self._next = 0  # the next `seq`
        self._sealed_end = False
        self._steps: dict[str, _StepCheck] = {}
        self._at_work: Counter[tuple[Any, ...]] = Counter()
        self._finalized = FinalizedCheck()

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(self._findings.found)

    def take(self, parsed: Iterable[Parsed]) -> None:
        """Take the parsed content of some whole lines."""
        for part in parsed:
            if isinstance(part, bytes):
                self._take_line(part)
            else:
                self._take_returned(part)

    def end(self) -> None:
        """End the check: report what a finished log must have and this one lacks."""
        if not self.finish:
            return
        if not self._sealed_end:
            self._missing("the seal after `run.finished` is missing")
        for step in self._steps.values():
            for what in step.missing():
                self._missing(what)
        for (started, *identity), count in self._at_work.items():
            if count > 0:
                self._missing(f"{started} without its {_PAIRS[started][0]}: {identity}")
        self._check_totals()

    def _take_returned(self, part: Returned) -> None:
        step = self._steps.get(part.step)
        # A place with a mistake goes the slow way, line by line, so that the finding has its line.
        if step is None or not step.at_work or self.finish or part.seq != self._next:
            for seq, task in enumerate(part.tasks, part.seq):
                self.lines += 1
                self._take_numbered(_event(seq, part.step, task))
            return
        before = 0
        for first, end in part.runs:
            if not step.count("returned", first, end):
                self._find_double(step, first, end, self.lines + 1 + before)
            before += end - first
        self.lines += before
        self._next += before

    def _find_double(self, step: _StepCheck, first: int, end: int, line: int) -> None:
        for task in range(first, end):
            if not step.count("returned", task, task + 1):
                self._wrong(f"task {task} of `{step.name}` has a second result", line + task - first)

    def _take_line(self, line: bytes) -> None:
        self.lines += 1
        try:
            event = event_of(line)
        except LineError as error:
            self._wrong(str(error))
            self._next += 1
        else:
            self._take_numbered(event)

    def _take_numbered(self, event: Event) -> None:
        if event["seq"] != self._next:
            self._wrong(f"its `seq` is {event['seq']:,}, and {self._next:,} comes next")
        self._next = event["seq"] + 1
        try:
            self._take_event(event)
        except (KeyError, TypeError, AttributeError):
            self._wrong(f"`{event['event']}` lacks a key that it must have, or has a wrong one")

    def _take_event(self, event: Event) -> None:
        name = event["event"]
        if self.lines == 1:
            refuse_newer(event, self._name)
        if (self.lines == 1) != (name == "run.started"):
            self._wrong("`run.started` is the first line, and there is one")
        if problem := self._finalized.problem(event):
            self._wrong(problem)
        if self.finish:
            self._after_the_end(event)
        elif name in _PAIRS:
            self._at_work[_identity(name, event, _PAIRS[name][1])] += 1
        elif name in _JOINED:
            self._join(event, *_JOINED[name])
        elif (take := _TAKES.get(name)) is not None:
            take(self, event)

    def _begin(self, event: Event) -> None:
        self._steps = {step["step"]: _StepCheck(step["step"], step["tasks"]) for step in event["steps"]}
        self.head = event

    def _finish(self, event: Event) -> None:
        self.finish = event

    def _after_the_end(self, event: Event) -> None:
        if event["event"] == "log.sealed" and not self._sealed_end:
            self._sealed_end = True
        else:
            self._wrong("nothing comes after `run.finished` and its seal", kind="tampered")

    def _join(self, event: Event, started: str, keys: tuple[str, ...]) -> None:
        identity = _identity(started, event, keys)
        self._at_work[identity] -= 1
        if not self._at_work[identity]:
            del self._at_work[identity]
        elif self._at_work[identity] < 0:
            self._wrong(f"`{event['event']}` without its {started}")

    def _step(self, event: Event) -> None:
        step = self._steps.get(event["step"])
        problem = step.problem(event) if step else f"the step `{event['step']}` is not declared"
        if problem:
            self._wrong(problem)

    def _check_totals(self) -> None:
        finished = [step.finish for step in self._steps.values() if step.finish]
        added = sum(map(_counts, finished), Counter())
        right = (len(self._steps), sum(_number(step, "tasks") for step in finished), added)
        if (_number(self.finish, "steps"), _number(self.finish, "tasks"), _counts(self.finish)) != right:
            self._missing("the counts of `run.finished` are not the sum of those of the steps")

    def _wrong(self, what: str, line: int = 0, kind: Any = "incomplete") -> None:
        line = line or self.lines
        self._findings.add(Finding(kind, what, line, line))

    def _missing(self, what: str) -> None:
        self._findings.add(Finding("incomplete", what))


class _StepCheck:
    """One declared step: whether it runs, and which results its tasks have."""

    def __init__(self, name: str, announced: int | None) -> None:
        self.name = name
        self._announced = announced  # number of tasks; None if only the run could show it
        self.at_work = False
        self.finish: Event = {}
        self._skipped = False
        self._tasks = TaskRanges()
        self._outcomes: Counter[str] = Counter()

    def count(self, outcome: str, first: int, end: int) -> bool:
        """Book the results of tasks `first` to `end` - 1. Return False if one of them has a result already."""
        if not self._tasks.add(first, end):
            return False
        self._outcomes[outcome] += end - first
        return True

    def problem(self, event: Event) -> str:
        """Take an event of the step. Return what is wrong with it, or an empty text."""
        match event["event"]:
            case "step.started" | "step.skipped" if self.at_work or self.finish or self._skipped:
                return f"the step `{self.name}` has begun or was skipped already"
            case "step.started":
                self.at_work = True
            case "step.skipped":
                self._skipped = True
            case _ if not self.at_work:
                return f"the step `{self.name}` is not at work"
            case "step.finished":
                self.at_work, self.finish = False, event
            case "tasks.counted":
                return self._result("returned", event["first"], event["last"] + 1)
            case _:
                task = event.get("task", 0)
                return self._result(event["outcome"], task, task + 1)
        return ""

    def _result(self, outcome: str, first: int, end: int) -> str:
        if self.count(outcome, first, end):
            return ""
        tasks = f"task {first} of `{self.name}` has" if end == first + 1 else f"tasks {first} to {end - 1} have"
        return f"{tasks} a second result"

    def missing(self) -> Iterable[str]:
        """Yield what a finished log should say of the step and doesn't."""
        if not self.finish:
            if not self._skipped:
                yield f"the step `{self.name}` is neither finished nor skipped"
            return
        tasks = _number(self.finish, "tasks")
        if self._announced not in (None, tasks):
            yield f"the step `{self.name}` announced {self._announced} tasks and has finished with {tasks}"
        for first, end in self._tasks.missing(tasks):
            yield f"tasks {first} to {end - 1} of `{self.name}` have no result"
        if self._tasks.end > tasks or self._outcomes != _counts(self.finish):
            yield f"the counts of the step `{self.name}` are not those of its results"


_TAKES = {
    "run.started": CompleteCheck._begin,
    "run.finished": CompleteCheck._finish,
    **dict.fromkeys(
        ("step.started", "step.finished", "step.skipped", "process.result", "task.result", "tasks.counted"),
        CompleteCheck._step,
    ),
}


def _event(seq: int, step: str, task: int) -> Event:
    """Return what the check needs of a result that was read in bulk."""
    return {"seq": seq, "event": "task.result", "step": step, "task": task, "outcome": "returned"}


def _identity(started: str, event: Event, keys: tuple[str, ...]) -> tuple[Any, ...]:
    return (started, *(event[key] for key in keys))


def _counts(event: Event) -> Counter[str]:
    return Counter({outcome: _number(event, outcome) for outcome in OUTCOMES if outcome in event})


def _number(event: Event, key: str) -> int:
    """Return the whole number of `key`, or -1 if there is none: no count equals that."""
    value = event.get(key)
    return value if type(value) is int else -1
