"""The seam between a run and its engines: what an engine gets, and what it must do."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from mprun.engines.results.store import Store
from mprun.engines.results.tracking import Tracking
from mprun.engines.slots import Slots
from mprun.log.masking import Mask
from mprun.log.words import Outcome
from mprun.plan.plan import Plan, Step
from mprun.plan.trial import Trial
from mprun.system.loop import Loop

if TYPE_CHECKING:
    from mprun.worker.boot.process import ChildProcess


class Events(Protocol):
    """Receives everything that happens in a run. Each line of the log passes through here once."""

    def emit(self, event: str, **fields: Any) -> None:
        """An event of the parent's own."""

    def emit_result(self, step: str, task: int, outcome: Outcome, line: bytes) -> None:
        """A result that a child has encoded: a JSON object's text without `{"seq":N,`, ended by a newline."""

    def emit_run(self, step: str, first: int, lines: list[bytes]) -> None:
        """Results of tasks `first`, `first` + 1, …, which all returned: such a line for each, without its newline."""

    def count(self, step: str, tasks: int) -> None:
        """`tasks` more have returned without a line of their own; a later `tasks.counted` says which."""

    def emit_line(self, line: bytes) -> None:
        """Another line that a child has encoded, in the form of `emit_result`."""

    def emit_retry(self, step: str, task: int, line: bytes) -> None:
        """An attempt that failed and will be retried; `line` has the form of `emit_result`."""

    def emit_output(self, fields: dict[str, Any], stream: str, line: bytes) -> None:
        """A line that a child printed; `fields` say which child."""


@dataclass(frozen=True, slots=True)
class Upcoming:
    """There are further calls.

    `fed_by`: the steps one of which must progress before the next call can go to a child; empty where the call can
    start at any time. `needs_room`: the step starts another child only when one has ended. `widen` starts one more all
    the same, where nobody has set the limit; else `held_by` says what the limit is, and what to do about it.
    """

    fed_by: frozenset[str] = frozenset()
    needs_room: bool = False
    widen: Callable[[], None] | None = None
    held_by: str = ""


class Sharer(Protocol):
    """Gives children what they share."""

    def equip(self, process: ChildProcess, step: Step) -> None:
        """Give `process`, a child of `step` that is about to start, what it shares. Raises OSError, EOFError."""


class NothingShared:
    """For a run that shares nothing."""

    def equip(self, process: ChildProcess, step: Step) -> None:
        """There is nothing to give."""


@dataclass(frozen=True, slots=True)
class Run:
    """What all executions of one run share.

    `unset` names the environment variables that children remove. `store` stores results. `tracking` records what steps
    and tasks are, and knows which of them an earlier run has done. `facts` has the values of `${run.…}` that are known
    only during the run: the `outcome`, once the ordinary steps have ended. `mask` keeps secrets out of what children
    print. `sharing` gives children what they share. `inline`: this process makes all calls itself. `began` is when the
    run did, in seconds since the epoch. `trial` says where files go that are not to be the real ones, None in a run
    whose files are: the paths in `plan` are those already.
    """

    plan: Plan
    loop: Loop
    events: Events
    unset: tuple[str, ...]
    slots: Slots
    store: Store
    tracking: Tracking
    sharing: Sharer
    facts: dict[str, str] = field(default_factory=dict)
    mask: Mask = field(default_factory=Mask)
    inline: bool = False
    began: float = field(default_factory=time.time)
    trial: Trial | None = None


class Execution(Protocol):
    """One step at work. It calls its `finished` once, when all its children are joined."""

    error: str

    @property
    def step(self) -> Step: ...

    @property
    def outcomes(self) -> Counter[str]: ...

    def ready(self) -> bool:
        """Take the slots that the first children need; return False where they aren't free yet."""

    def start(self) -> None:
        """Start the step's children. A failure to do so ends the execution, with `error` saying why."""

    def slot_freed(self) -> None:
        """A slot is free: the step may start another child."""

    def cancel(self, why: str) -> None:
        """Start no further task; running ones continue."""

    def end(self, number: int, why: str) -> None:
        """Send signal `number` to every child to end it, and expect no more work from it."""

    def signal(self, number: int) -> None:
        """Send signal `number` (stop, continue) to every child, not to end it."""

    def upcoming(self) -> Upcoming | None:
        """The calls that the step has yet to start; None where it has started all."""

    def is_idle(self, pid: int) -> bool:
        """Whether child `pid` has nothing to do until it gets a task."""


Finished = Callable[[Execution], None]
Engine = Callable[[Run, Step, Finished], Execution]
