"""What a sink is: a reader of the event stream besides the log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from mprun.log.words import Outcome


class Sink(Protocol):
    """Told of each event once, in the order of the log."""

    def event(self, event: Mapping[str, Any]) -> None:
        """An event of the parent's own."""

    def result(self, step: str, task: int, outcome: Outcome, line: bytes) -> None:
        """A result; `line` is its JSON object without the opening `{`, ended by a newline."""

    def run(self, step: str, first: int, lines: list[bytes]) -> None:
        """Results of tasks `first`, `first` + 1, … that all returned: such a line for each, without its newline."""

    def count(self, step: str, tasks: int) -> None:
        """`tasks` more have returned, without lines of their own."""

    def output(self, fields: Mapping[str, Any], stream: str, line: bytes) -> None:
        """A line that a child printed, as it was printed."""

    def tick(self) -> None:
        """Called a few times a second while the run is at work: a clock that is shown goes on."""
