"""The interface of a sink: a reader of the event stream besides the log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from mprun.log.words import Outcome


class Sink(Protocol):
    """Gets each event once, in the order of the log. The loop's thread makes all calls."""

    def event(self, event: Mapping[str, Any]) -> None:
        """Take an event that the parent emits."""

    def result(self, step: str, task: int, outcome: Outcome, line: bytes) -> None:
        """Take a result; `line` is its JSON object without the beginning `{"seq":N,`, ended by a newline."""

    def run(self, step: str, first: int, lines: list[bytes]) -> None:
        """Take results of tasks `first`, `first` + 1, … that all returned: a line each, without its newline."""

    def count(self, step: str, tasks: int) -> None:
        """Take the number of further tasks that returned, without lines of their own."""

    def output(self, fields: Mapping[str, Any], stream: str, line: bytes) -> None:
        """Take a line that a child printed, as the bytes that it printed."""

    def tick(self) -> None:
        """Called a few times per second during the run, so that a sink can redraw a clock."""
