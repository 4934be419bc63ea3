"""Decides when each step of one stage starts and how it ends. It holds the state of needs, and reports events."""

from __future__ import annotations

import signal
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Any

from mprun.engines.execution import engine_of
from mprun.engines.results.received import failures_received
from mprun.engines.results.saving import Saving
from mprun.engines.results.unsaved import is_saved, unsaved_fields
from mprun.engines.seam import Execution, Run
from mprun.plan.plan import If, ProcessStep, Step, called, declared_tasks, streamed_step
from mprun.results.plain_data import plain_result
from mprun.running.conditions import ENDED, StepOutcome, holds, is_met, unmet_reason

END_OF_RUN = "the end of the run"


class Scheduler:
    """Starts each of `steps` as soon as its needs are met, and skips it as soon as they can't be met any more.

    A step that streams another step's results starts once that step has started and all other needs are met.

    `outcomes` are the outcomes of all steps so far. The scheduler adds its own.
    """

    def __init__(
        self, run: Run, steps: Sequence[Step], outcomes: dict[str, StepOutcome], on_quiet: Callable[[], None]
    ) -> None:
        self.outcomes = outcomes
        self.tasks: Counter[str] = Counter()
        self.at_work: dict[str, Execution] = {}
        self.stopping = ""  # why no further step starts; empty while steps may start
        self.cut_short = False  # whether a step was skipped for that reason
        self._run = run
        self._on_quiet = on_quiet
        self._waiting: dict[str, Step] = {step.name: step for step in steps}
        self._unmet = {step.name: set(step.needs) for step in steps}
        self._needed_by: dict[str, list[Step]] = {name: [] for name in (*outcomes, *self._waiting)}
        for step in steps:
            for need in self._unmet[step.name]:
                self._needed_by[need].append(step)
        self._ready = deque(step for step in steps if not step.needs)  # their needs are met; they wait for a slot
        self._continues = {step.name for step in run.plan.steps if step.limits.continue_on_error}
        self._began: dict[str, float] = {}
        run.slots.on_free = self._room

    @property
    def all_succeeded(self) -> bool:
        """Whether no step so far failed that may not fail, and none was cut short."""
        return not self.cut_short and not any(map(self._disappoints, self.outcomes))

    @property
    def finished(self) -> bool:
        return not self._waiting and not self.at_work

    @property
    def only_daemons_left(self) -> bool:
        return not self._waiting and bool(self.at_work) and all(map(_is_daemon, self.at_work.values()))

    def begin(self) -> None:
        """Start the steps without needs, and those whose needs ended in an earlier stage."""
        for name, outcome in list(self.outcomes.items()):
            self._settle(name, outcome)
        self.advance()

    def advance(self) -> None:
        """Start and skip all steps that can be started or skipped now."""
        if self.stopping:
            for step in list(self._waiting.values()):
                self._log_skipped(step, self.stopping)
                self.outcomes[step.name] = "skipped"
                self.cut_short = True
        # Strictly in the order in which steps became ready: otherwise, steps that need few slots could overtake one
        # that needs many, forever.
        while self._ready and (self._ready[0].name not in self._waiting or self._decided(self._ready[0])):
            self._ready.popleft()
        if self.only_daemons_left:
            self._on_quiet()

    def _settle(self, name: str, outcome: StepOutcome) -> None:
        """Book the outcome of a step. Steps that need it become ready or are skipped, which may skip further steps."""
        settled = deque([(name, outcome)])
        while settled:
            name, outcome = settled.popleft()
            self.outcomes[name] = outcome
            self._stop_unneeded(name)
            for step in self._needed_by[name]:
                if step.name not in self._waiting:
                    continue
                condition = step.needs[name]
                if is_met(condition, outcome, may_fail=self._may_fail(name)):
                    self._meet(step, name)
                else:
                    self._log_skipped(step, unmet_reason(condition, name, outcome))
                    settled.append((step.name, "skipped"))

    def _meet(self, step: Step, need: str) -> None:
        """Record that `step` has what it needs of the step `need`."""
        if need in self._unmet[step.name]:
            self._unmet[step.name].discard(need)
            if not self._unmet[step.name]:
                self._ready.append(step)

    def _streaming_from(self, name: str) -> list[Step]:
        """Return the steps that take the results of step `name` while it runs."""
        return [step for step in self._needed_by[name] if streamed_step(self._run.plan, step) == name]

    def _log_skipped(self, step: Step, reason: str) -> None:
        del self._waiting[step.name]
        unsaved = unsaved_fields(step, self._run.began)
        self._run.events.emit("step.skipped", step=step.name, kind=step.kind, reason=reason, **unsaved)

    def _disappoints(self, name: str) -> bool:
        outcome = self.outcomes[name]
        return outcome == "cancelled" or (outcome == "failed" and not self._may_fail(name))

    def _may_fail(self, name: str) -> bool:
        """Return whether the run may ignore a failure of step `name`. It never ignores a failure to save the
        results."""
        results = self._run.store.of(name)
        return name in self._continues and not (results is not None and results.save_failed)

    def _decided(self, step: Step) -> bool:
        """Start `step` if there is room, or skip it because of its `if`. Return whether it did one of the two."""
        if step.condition is None:
            return self._started(step)
        try:
            if holds(step.condition, {"run": self._run.facts, "results": self._results_for(step.condition)}):
                return self._started(step)
        except (LookupError, TypeError, OSError) as error:
            self._log_skipped(step, f"its `if` can't be decided: {error}")
            self._settle(step.name, "failed")
        else:
            self._log_skipped(step, f"its `if` is false: {step.condition.text}")
            self._settle(step.name, "skipped")
        return True

    def _results_for(self, condition: If) -> dict[str, Any]:
        """Return the results that `condition` refers to, by step. Raises LookupError, OSError."""
        names = {reference.path[0] for reference in condition.references() if reference.scope == "results"}
        return {name: plain_result(self._run.store.stored(name)) for name in names}

    def _started(self, step: Step) -> bool:
        """Start `step` if there is room for it. Return whether it started."""
        execution = engine_of(step, inline=self._run.inline)(self._run, step, self._finished)
        if not execution.ready():
            return False
        del self._waiting[step.name]
        self._began[step.name] = time.monotonic()
        self._run.events.emit(
            "step.started", step=step.name, kind=step.kind, target=called(step), tasks=declared_tasks(step)
        )
        self.at_work[step.name] = execution
        if step.limits.step_timeout:
            self._run.loop.call_later(step.limits.step_timeout, lambda: self._time_out(step.name))
        # Booked before the start: a step that fails in `start` ends at once, and must be found at work.
        execution.start()
        for streaming in self._streaming_from(step.name):
            if streaming.name in self._waiting:
                self._meet(streaming, step.name)
        return True

    def _time_out(self, name: str) -> None:
        """End a step that exceeds its timeout: SIGTERM, then SIGKILL after the grace period."""
        execution = self.at_work.get(name)
        if execution is None:
            return
        why = f"its step_timeout of {execution.step.limits.step_timeout:g} s"
        execution.error = execution.error or f"it took longer than {why}"
        execution.end(signal.SIGTERM, why)

        def kill() -> None:
            if self.at_work.get(name) is execution:
                execution.end(signal.SIGKILL, why)

        self._run.loop.call_later(self._run.plan.grace_period, kill)

    def _room(self) -> None:
        """Use a free slot: for a step that waits, or for a running step that can use another child."""
        for execution in self.at_work.values():
            execution.slot_freed()
        # Not at once: an engine gives a slot back in the middle of booking a child's end, when no step should start
        # yet.
        self._run.loop.call_soon(self.advance)

    def _finished(self, execution: Execution) -> None:
        """Take a step whose children are all joined. Save its results first, if it succeeded and declares `save`."""
        step, results = execution.step, self._run.store.of(execution.step.name)
        whole = results is not None and results.whole
        if isinstance(execution, Saving) or not is_saved(step, execution.outcomes, execution.error, whole=whole):
            self._done(execution)
        else:
            saving = self.at_work[execution.step.name] = Saving(self._run, execution, self._finished)
            saving.start()

    def _done(self, execution: Execution) -> None:
        step = execution.step
        del self.at_work[step.name]
        unsaved = self._unsaved(execution)
        outcome = step_outcome(execution)
        self.tasks.update(execution.outcomes)
        self._run.events.emit(
            "step.finished",
            step=step.name,
            kind=step.kind,
            outcome=outcome,
            **({"error": execution.error} if execution.error else {}),
            tasks=execution.outcomes.total(),
            **execution.outcomes,
            **self._run.tracking.reused(step.name),
            duration=round(time.monotonic() - self._began[step.name], 6),
            **_received(step, self._run),
            **unsaved,
        )
        self._settle(step.name, outcome)
        self._end_stream(step.name, outcome)
        self.advance()

    def _unsaved(self, execution: Execution) -> dict[str, Any]:
        """Return the event fields about a file that should have been written and was not."""
        if isinstance(execution, Saving) and not execution.failure:
            return {}
        results = self._run.store.of(execution.step.name)
        if results is not None:
            results.save_failed = isinstance(execution, Saving)
        return unsaved_fields(execution.step, self._run.began)

    def _end_stream(self, name: str, outcome: StepOutcome) -> None:
        """Report to the consumers of step `name` that its results are complete, and whether it failed."""
        results = self._run.store.of(name)
        if results is not None:
            results.end(f"`{name}` {ENDED[outcome]}" if self._disappoints(name) else "")

    def _stop_unneeded(self, name: str) -> None:
        """Cancel the producer of step `name` if that step did not succeed and no other step needs the producer.

        The producer may be endless: without a consumer, nothing else would end it.
        """
        plan = self._run.plan
        source = self.at_work.get(streamed_step(plan, plan.step(name)))
        if source is None or source.step.save or self.outcomes[name] == "succeeded":
            return
        if all(other.name in self.outcomes for other in self._needed_by[source.step.name]):
            source.cancel(f"the end of `{name}`, which takes its results")


def _received(step: Step, run: Run) -> dict[str, Any]:
    """Return the event field about failed entries in the results of other steps; empty if the step got none."""
    received = failures_received(step, run.store)
    return {"failures_received": received} if received else {}


def step_outcome(execution: Execution) -> StepOutcome:
    """Return the outcome of a step from the outcomes of its tasks.

    A daemon that was stopped at the end of the run has succeeded.
    """
    failures = {outcome for outcome in execution.outcomes if outcome != "returned"}
    if execution.error or failures - {"cancelled"}:
        return "failed"
    if not failures:
        return "succeeded"
    return "succeeded" if _is_daemon(execution) else "cancelled"


def _is_daemon(execution: Execution) -> bool:
    return isinstance(execution.step, ProcessStep) and execution.step.daemon
