"""A step whose calls run in this process, one after the other: for a debugger, a profiler, coverage.

The plan and the events are those of any other run. Between two calls, the loop gets its turn: other steps continue, and
signals are handled. Bounds on a call from outside (its time, its memory) don't apply.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from typing import Any

from mprun.engines.child.ends import result_line
from mprun.engines.inline.calls import calls_of
from mprun.engines.inline.surroundings import surrounded
from mprun.engines.results.store import not_stored
from mprun.engines.seam import Finished, Run
from mprun.log.words import Outcome
from mprun.plan.plan import PoolStep, Step, declared_tasks
from mprun.worker.calls import calls
from mprun.worker.calls.calls import Call
from mprun.worker.calls.retry import RetryPolicy
from mprun.worker.wire.result_frames import Values


class InlineExecution:
    """Makes the calls of one step."""

    def __init__(self, run: Run, step: Step, finished: Finished) -> None:
        self.step = step
        self.error = ""
        self._run = run
        self._finished = finished
        self._calls = calls_of(run, step)
        self._retry_policy = RetryPolicy(step.limits.retries)
        self._begun = 0
        self._due: deque[tuple[int, Any, dict[str, Any]]] = deque()  # (attempt, item, about) to be made now
        self._retries_due = 0
        self._stopping = ""  # why no further call is made
        self._cut = False  # whether there would have been more to read
        self._ended = False

    @property
    def outcomes(self) -> Counter[str]:
        return self._calls.ledger.outcomes

    # -- what the run asks of an execution

    def ready(self) -> bool:
        return True

    def slot_freed(self) -> None:
        """Do nothing: the step takes no slots."""

    def start(self) -> None:
        try:
            with surrounded(self.step.surroundings, self._run.unset):
                error = self._calls.begin()
        except OSError as failed:
            error = not_stored(failed)
        if error:
            self.error = error
            self.cancel("the step could not begin")
        else:
            self._calls.supply.begin(self._advance_soon)
        self._advance_soon()

    def cancel(self, why: str) -> None:
        self._stopping = self._stopping or why
        self._cut = self._cut or not self._calls.supply.ended
        self._calls.supply.drop(why)
        self._advance_soon()

    def end(self, number: int, why: str) -> None:
        self.cancel(why)
        self._calls.supply.end(number, why)

    def signal(self, number: int) -> None:
        self._calls.supply.signal(number)

    # -- one call a pass

    def upcoming(self) -> None:
        """Return None: this process makes all calls, so nobody waits beside it."""

    def is_idle(self, pid: int) -> bool:
        return False

    def _advance_soon(self) -> None:
        self._run.loop.call_soon(self._advance)

    def _advance(self) -> None:
        if self._ended:
            return
        if self._due and not self._stopping:
            self._make(*self._due.popleft())
            self._advance_soon()
        elif items := self._calls.supply.take(1):
            about = self._calls.about(self._begun, items[0])
            self._begun += 1
            self._due.append((1, items[0], about))
            self._advance_soon()
        elif self._calls.supply.ended and self._calls.supply.gone and (self._stopping or not self._retries_due):
            self._finish()

    def _make(self, attempt: int, item: Any, about: dict[str, Any]) -> None:
        about = about | {"attempt": attempt}
        self._calls.started(about)
        began = time.monotonic()
        try:
            with surrounded(self.step.surroundings, self._run.unset):
                ended, args, kwargs, value = self._calls.make(about, item)
                about |= self._calls.key()
        except (KeyboardInterrupt, OSError) as error:  # not of the call itself: before it, or after
            ended, args, kwargs, value = Call("raised", None, error, time.time(), 0.0), (), {}, None
        delay = self._delay(attempt, ended)
        if delay is None:
            self._book(about, ended, calls.result_line(self._fields("result", about), ended, args, kwargs), value)
        else:
            fields = self._fields("retried", about) | {"retry_in": round(delay, 6)}
            self._run.events.emit_retry(
                self.step.name, self._index(about), calls.result_line(fields, ended, args, kwargs)
            )
            self._retries_due += 1
            self._run.loop.call_later(delay, lambda: self._retry(attempt + 1, item, about))
        self._calls.ended(about, time.monotonic() - began)

    def _delay(self, attempt: int, ended: Call) -> float | None:
        """Return the seconds until another attempt; None if there is none. A Ctrl-C concerns the whole run."""
        if ended.error is None or self._stopping or isinstance(ended.error, KeyboardInterrupt):
            return None
        return self._retry_policy.delay(attempt, ended.outcome, ended.error)

    def _retry(self, attempt: int, item: Any, about: dict[str, Any]) -> None:
        self._retries_due -= 1
        self._due.append((attempt, item, about))
        self._advance_soon()

    def _fields(self, what: str, about: dict[str, Any]) -> dict[str, Any]:
        waited = {"waited": 0.0} if self._calls.event == "task" else {}
        return {"event": f"{self._calls.event}.{what}", **about, **waited}

    def _index(self, about: dict[str, Any]) -> int:
        return about.get("task", 0)  # type: ignore[no-any-return]

    def _book(self, about: dict[str, Any], ended: Call, line: bytes, value: Values | None) -> None:
        only_count = isinstance(self.step, PoolStep) and self._run.plan.log_tasks == "failures" and value is None
        if only_count and ended.outcome == "returned":
            self._calls.ledger.book_count(self._index(about), 1)
        else:
            kept = value if ended.outcome == "returned" else None
            self._calls.ledger.book(self._index(about), ended.outcome, line, kept)

    # -- the end

    def _finish(self) -> None:
        self._ended = True
        declared = declared_tasks(self.step)
        if declared is None and self._cut:
            self.error = self.error or "it was stopped before the end of its items"
        for task in self._calls.ledger.missing(self._begun if declared is None else declared):
            self._book_unmade(task)
        failed = self._calls.finish(self._stopping)
        self.error = self.error or failed
        if self._calls.supply.error:
            self.error = self.error or f"its items could not be read: {self._calls.supply.error}"
        self._finished(self)

    def _book_unmade(self, task: int) -> None:
        of_several = declared_tasks(self.step) != 1 or isinstance(self.step, PoolStep)
        about = {"event": f"{self._calls.event}.result", "step": self.step.name, "attempt": 1}
        outcome: Outcome = "cancelled"
        ending = {"task": task} if of_several else {}
        line = result_line({**about, **ending, "outcome": outcome, "cancelled_by": self._stopping})
        self._calls.ledger.book(task, outcome, line)
