"""The stages of a run: its ordinary steps, then the steps around it (on_success or on_failure, then on_exit)."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Sequence

from mprun.engines.results.unsaved import unsaved_fields
from mprun.engines.seam import Execution, Run
from mprun.plan.plan import Step, When, when
from mprun.running.conditions import StepOutcome
from mprun.running.scheduler import END_OF_RUN, Scheduler
from mprun.running.stop import Requests, Stopper

STAGES: tuple[When, ...] = ("", "success", "failure", "exit")


class Stages:
    """Runs the stages one after the other, each with its own scheduler. `tasks` counts the outcomes of all tasks."""

    def __init__(self, run: Run) -> None:
        self.tasks: Counter[str] = Counter()
        self.all_succeeded = True
        self.requests = Requests()
        self._run = run
        self._outcomes: dict[str, StepOutcome] = {}
        self._enter("")

    @property
    def at_work(self) -> list[Execution]:
        return list(self._scheduler.at_work.values())

    @property
    def outcome(self) -> str:
        """The outcome of the run so far: `succeeded`, `failed` or `interrupted`."""
        if self.requests.signal:
            return "interrupted"
        return "succeeded" if self.all_succeeded else "failed"

    def run(self) -> None:
        """Run all stages. Return when every step has ended or was skipped, and every child is joined."""
        self._work()
        ordinary = self.outcome
        for stage in STAGES[1:]:
            self._run.facts["outcome"] = self.outcome
            why_not = not_run(stage, ordinary, self.requests)
            if why_not:
                self._skip(self._steps(stage), why_not)
            else:
                self._enter(stage)
                self._work()

    def _enter(self, stage: When) -> None:
        self._scheduler = Scheduler(
            self._run, self._steps(stage), self._outcomes, on_quiet=lambda: self.stopper.stop_daemons(END_OF_RUN)
        )
        self.stopper = Stopper(self._run, self._scheduler, self.requests, patient=stage == "")

    def _work(self) -> None:
        self._scheduler.begin()
        self._run.loop.run(until=lambda: self._scheduler.finished)
        self.stopper.close()
        self.tasks.update(self._scheduler.tasks)
        self.all_succeeded = self.all_succeeded and self._scheduler.all_succeeded

    def _steps(self, stage: When) -> list[Step]:
        return [step for step in self._run.plan.steps if when(step) == stage]

    def _skip(self, steps: Sequence[Step], reason: str) -> None:
        for step in steps:
            self._outcomes[step.name] = "skipped"
            unsaved = unsaved_fields(step, self._run.began)
            self._run.events.emit("step.skipped", step=step.name, kind=step.kind, reason=reason, **unsaved)


def not_run(stage: When, outcome: str, requests: Requests) -> str:
    """Return why the steps of `stage` don't run after ordinary steps that ended as `outcome`; empty if they run."""
    if requests.count > 1:
        return f"a second {signal.Signals(requests.signal).name} asked for an end at once"
    if stage == "success" and outcome != "succeeded":
        return "the run failed" if outcome == "failed" else "the run was interrupted"
    return "the run succeeded" if stage == "failure" and outcome == "succeeded" else ""
