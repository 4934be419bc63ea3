"""What a check finds wrong with a log, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

MAX_FINDINGS = 50  # of one check; a log that is damaged throughout needs no longer list

Kind = Literal["tampered", "incomplete"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake. Lines count from 1, `start` and `end` are byte offsets; all are 0 for a mistake without a place."""

    kind: Kind
    what: str
    first_line: int = 0
    last_line: int = 0
    start: int = 0
    end: int = 0

    @property
    def place(self) -> str:
        """The place as text, such as `line 5` or `lines 2 to 9 (bytes 120 to 4,500)`; empty if there is none."""
        if not self.first_line:
            return ""
        several = self.last_line > self.first_line
        lines = f"lines {self.first_line:,} to {self.last_line:,}" if several else f"line {self.first_line:,}"
        return f"{lines} (bytes {self.start:,} to {self.end:,})" if self.end else lines

    def text(self) -> str:
        return f"{self.place}: {self.what}" if self.place else self.what

    def document(self) -> dict[str, Any]:
        """Return the finding as JSON data, without the places that it lacks."""
        placed = {"first_line": self.first_line, "last_line": self.last_line, "start": self.start, "end": self.end}
        return {"kind": self.kind, "what": self.what, **{key: value for key, value in placed.items() if value}}


class Findings:
    """A bounded list of findings."""

    def __init__(self) -> None:
        self.found: list[Finding] = []
        self.more = 0

    def add(self, finding: Finding) -> None:
        if len(self.found) < MAX_FINDINGS:
            self.found.append(finding)
        else:
            self.more += 1
