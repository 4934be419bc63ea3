"""The seam between a run and its engines: what an engine is given, what it gives back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from mprun.engines.pending import More
from mprun.engines.results.store import Store
from mprun.engines.results.tracking import Tracking
from mprun.engines.sharing.shares import Sharer
from mprun.engines.slots import Slots
from mprun.log.masking import Mask
from mprun.log.words import Outcome
from mprun.plan.plan import Plan, Step
from mprun.system.loop import Loop


class Events(Protocol):
    """Where what happened is told. Each line of the log is told once, here."""

    def emit(self, event: str, **fields: Any) -> None:
        """An event of the parent's own."""

    def emit_result(self, step: str, task: int, outcome: Outcome, line: bytes) -> None:
        """A result that a child has encoded: a JSON object's text without `{"seq":N,`, ended by a newline."""

    def emit_run(self, step: str, first: int, lines: list[bytes]) -> None:
        """Results of tasks `first`, `first` + 1, …, which all returned: such a line for each, without its newline."""

    def count(self, step: str, tasks: int) -> None:
        """`tasks` more have returned which have no line; `tasks.counted` will tell which."""

    def emit_line(self, line: bytes) -> None:
        """Another line that a child has encoded, as for `emit_result`."""

    def emit_retry(self, step: str, task: int, line: bytes) -> None:
        """An attempt that failed and is followed by another one; `line` is as for `emit_result`."""

    def emit_output(self, fields: dict[str, Any], stream: str, line: bytes) -> None:
        """A line that a child printed, with whose it is."""


@dataclass(frozen=True, slots=True)
class Run:
    """What all executions of one run share.

    `unset` are the environment variables that children are not to keep, `store` is where results are kept, `tracking`
    notes what steps and tasks are, and knows what an earlier run has of them. `facts` is
    what `${run.…}` stands for that is known only while it runs: the `outcome`, once the ordinary steps have ended.
    `mask` keeps secrets out of what children print, `sharing` gives children what they share. `inline`: all calls are
    made in this process.
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


class Execution(Protocol):
    """One step at work. When all its children are joined it calls what it was given, once."""

    error: str

    @property
    def step(self) -> Step: ...

    @property
    def outcomes(self) -> Counter[str]: ...

    def ready(self) -> bool:
        """Take the slots that the first children need; False where they aren't free yet."""

    def start(self) -> None:
        """Start the step's children. A failure to do so ends the execution, with `error` saying why."""

    def more_room(self) -> None:
        """A slot has become free: another child may be started."""

    def cancel(self, why: str) -> None:
        """Begin no further task; what is at work goes on."""

    def end(self, number: int, why: str) -> None:
        """Send signal `number` to every child to end it, and wait for no more work of theirs."""

    def signal(self, number: int) -> None:
        """Send signal `number` (stop, continue) to every child; mprun means no end by it."""

    def more(self) -> More | None:
        """What it may still begin; None where all that it has to do has begun."""

    def is_idle(self, pid: int) -> bool:
        """Whether child `pid` has nothing to do until it is given something."""


Finished = Callable[[Execution], None]
Engine = Callable[[Run, Step, Finished], Execution]
