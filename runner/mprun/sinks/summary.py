"""Collects, in bounded memory, what a person reads at the end of a run: results, failures, counts; then prints it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from mprun.log.codec.lines import fields_of
from mprun.log.words import Outcome
from mprun.sinks.files_text import file_lines, trial_lines, unsaved_lines
from mprun.sinks.text import counts_text, duration, failure, plural, reused_text, shown, value

MAX_RESULTS = 10  # of one step
MAX_FAILURES = 5  # of one step, each printed in full


class StepNotes:
    """The content of the summary for one step."""

    def __init__(self) -> None:
        self.results: dict[int, Any] = {}
        self.failures: list[dict[str, Any]] = []
        self.failed = 0
        self.cancelled: Counter[str] = Counter()  # by reason
        self.finished: Mapping[str, Any] = {}
        self.skipped: Mapping[str, Any] = {}
        self.saved: Mapping[str, Any] = {}
        self.noun = ""  # the noun for its calls, if it has more than one
        self.single = True

    def remember(self, task: int, line: bytes) -> None:
        """Store the result of `task` if it is one of the first MAX_RESULTS tasks, in whatever order they arrive."""
        if len(self.results) < MAX_RESULTS or task < max(self.results):
            fields = fields_of(line)
            self.single = self.single and "cell" not in fields  # no cell has started if all are reused
            self.results[task] = fields["result"]
            if len(self.results) > MAX_RESULTS:
                del self.results[max(self.results)]


class Summary:
    """A sink that becomes text at the end."""

    def __init__(self) -> None:
        self._steps: dict[str, StepNotes] = {}
        self._head: Mapping[str, Any] = {}
        self._run: Mapping[str, Any] = {}

    def event(self, event: Mapping[str, Any]) -> None:
        match event["event"]:
            case "run.started":
                self._head = event
                self._steps = {step["step"]: StepNotes() for step in event["steps"]}
            case "process.started" if "task" in event:
                self._steps[event["step"]].noun = "cell"
                self._steps[event["step"]].single = False
            case "pool.started":
                self._steps[event["step"]].noun = "task"
                self._steps[event["step"]].single = event["call"] == "apply"
            case "step.finished":
                self._steps[event["step"]].finished = event
            case "step.skipped":
                self._steps[event["step"]].skipped = event
            case "results.saved":
                self._steps[event["step"]].saved = event
            case "run.finished":
                self._run = event

    def result(self, step: str, task: int, outcome: Outcome, line: bytes) -> None:
        notes = self._steps[step]
        if outcome == "cancelled":
            notes.cancelled[fields_of(line)["cancelled_by"]] += 1
        elif outcome != "returned":
            notes.failed += 1
            if len(notes.failures) < MAX_FAILURES:
                notes.failures.append(fields_of(line))
        else:
            notes.remember(task, line)

    def run(self, step: str, first: int, lines: list[bytes]) -> None:
        notes = self._steps[step]
        for task, line in enumerate(lines[:MAX_RESULTS], first):
            notes.remember(task, line)

    def count(self, step: str, tasks: int) -> None:
        """Ignored: the log has no results of these."""

    def output(self, fields: Mapping[str, Any], stream: str, line: bytes) -> None:
        """Ignored: it was shown when it came."""

    def tick(self) -> None:
        """Ignored: there is no clock to draw."""

    def warnings(self) -> str:
        """Return what people must know about files even if the run has succeeded and nothing else is shown."""
        lines = [line for name, notes in self._steps.items() for line in file_lines(name, notes.saved, notes.finished)]
        return "".join(f"{line}\n" for line in (*lines, *trial_lines(self._head)))

    def text(self, log: str) -> str:
        """Return the summary: a block for each failed step, a line for each other step, and the outcome of the run."""
        lines = [line for name, notes in self._steps.items() for line in _step_lines(name, notes)]
        return "\n".join([*lines, *trial_lines(self._head), *_run_lines(self._run, self._steps, log)]) + "\n"


def _step_lines(name: str, notes: StepNotes) -> list[str]:
    if notes.skipped:
        old = unsaved_lines(name, notes.skipped) if "old_file" in notes.skipped else []
        return [f"{name}: skipped: {shown(notes.skipped['reason'])}", *old]
    if not notes.finished:
        return [f"{name}: not finished"]
    lines = []
    if error := notes.finished.get("error"):
        lines.append(f"{name}: {notes.finished['outcome']}: {shown(error)}")
    for event in notes.failures:
        lines += failure(name, event)
    if notes.failed > len(notes.failures):
        lines.append(f"{name}: and {plural(notes.failed - len(notes.failures), 'more failure')}; the log has them all")
    for why, count in notes.cancelled.items():
        lines.append(f"{name}: {plural(count, notes.noun) if notes.noun else 'it was'} cancelled: {shown(why)}")
    if any(result is not None for result in notes.results.values()):
        lines.append(f"{name}: {_results(notes)}{reused_text(notes.finished, ' ({})')}")
    elif notes.finished.get("reused_tasks"):
        lines.append(f"{name}: {reused_text(notes.finished)}")
    for of, count in notes.finished.get("failures_received", {}).items():
        lines.append(f"{name}: it was given None for {plural(count, 'failed task')} of `{shown(of)}`")
    return lines + file_lines(name, notes.saved, notes.finished)


def _results(notes: StepNotes) -> str:
    if notes.single:
        return value(notes.results[0])
    listed = ", ".join(
        value(notes.results[task]) if task in notes.results else "–" for task in range(max(notes.results) + 1)
    )
    more = notes.finished.get("returned", 0) - len(notes.results)
    return f"[{listed}{f', … {more:,} more' if more > 0 else ''}]"


def _run_lines(run: Mapping[str, Any], steps: Mapping[str, StepNotes], log: str) -> list[str]:
    if not run:
        return []
    counts = counts_text({outcome: run.get(outcome, 0) for outcome in _COUNTED}, run.get("reused_tasks", 0))
    skipped = sum(bool(notes.skipped) for notes in steps.values())
    parts = [f"{plural(len(steps), 'step')}{f' ({skipped} skipped)' if skipped else ''}"]
    parts.append(f"{plural(run['tasks'], 'task')}{': ' if counts else ''}{counts}")
    return [f"{run['outcome']} in {duration(run['duration'])}: {'; '.join(parts)}", f"log: {log}"]


_COUNTED = ("returned", "raised", "lost", "timed_out", "cancelled", "unpicklable")
