"""A process step: one call, in a `multiprocessing.Process` of its own."""

from __future__ import annotations

from collections import Counter
from functools import partial

from mprun.engines.child.ends import result_line
from mprun.engines.process.call import ProcessCall
from mprun.engines.process.work import ProcessWorks
from mprun.engines.results.store import not_stored
from mprun.engines.seam import Finished, Run, Upcoming
from mprun.plan.plan import ProcessStep


class ProcessExecution:
    """Makes the step's one call."""

    def __init__(self, run: Run, step: ProcessStep, finished: Finished) -> None:
        self.step = step
        self.outcomes: Counter[str] = Counter()
        self.error = ""
        self._run = run
        self._finished = finished
        self._call: ProcessCall | None = None

    def ready(self) -> bool:
        return self._run.slots.take()

    def slot_freed(self) -> None:
        """A process needs one slot, which it has."""

    def start(self) -> None:
        try:
            works = ProcessWorks(self._run, self.step)
            if works.reuse(0, None, {}):
                self._run.loop.call_soon(partial(self._end, "returned", ""))
                return
            self._call = ProcessCall(self._run, self.step, works.work(), {}, works.results, self._ended)
        except OSError as error:
            self._run.loop.call_soon(partial(self._give_up, not_stored(error)))
        else:
            self._call.start()

    def cancel(self, why: str) -> None:
        if self._call is not None:
            self._call.cancel(why)

    def end(self, number: int, why: str) -> None:
        if self._call is not None:
            self._call.end(number, why)

    def signal(self, number: int) -> None:
        if self._call is not None:
            self._call.signal(number)

    def upcoming(self) -> Upcoming | None:
        return None if self._call is not None and self._call.has_begun else Upcoming()

    def is_idle(self, pid: int) -> bool:
        return False

    def _give_up(self, error: str) -> None:
        """Book the call, which can't be made, as lost."""
        about = {"event": "process.result", "step": self.step.name, "attempt": 1}
        line = result_line({**about, "outcome": "lost", "reason": error})
        self._run.events.emit_result(self.step.name, 0, "lost", line)
        self._end("lost", error)

    def _ended(self, call: ProcessCall) -> None:
        self._end(str(call.outcome), call.error)

    def _end(self, outcome: str, error: str) -> None:
        self.outcomes[outcome] += 1
        self.error = self.error or error
        self._run.slots.give_back()
        self._finished(self)
