"""What can go wrong, as data: exit codes, places in a file, diagnostics. Imports nothing of mprun."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of the `mprun` command."""

    SUCCEEDED = 0
    FAILED = 1
    USAGE = 2
    FAULT = 3
    TAMPERED = 4
    INCOMPLETE = 5
    UNSIGNED = 6
    INTERRUPTED = 130
    TERMINATED = 143


@dataclass(frozen=True, slots=True)
class Place:
    """A part of one line of a file. `line` and `column` count from 1; `text` is the whole line."""

    file: str
    line: int
    column: int
    length: int = 1
    text: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One mistake: a stable `code`, what is wrong, where, and what to do next.

    `advice` stands beside the caret, `notes` below the excerpt (each after a `=`). `source` names the file if there is
    no line to show.
    """

    code: str
    message: str
    place: Place | None = None
    advice: str = ""
    notes: tuple[str, ...] = ()
    source: str = ""


class MprunError(Exception):
    """The base of every error that mprun raises on purpose."""


class WorkflowError(MprunError):
    """The workflow can't run as written. It carries every mistake found."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        super().__init__(f"{len(diagnostics)} mistake(s)")
        self.diagnostics = diagnostics


class UsageError(MprunError):
    """An option, or something around the command, is wrong. Nothing was started."""


class ConversionError(MprunError):
    """An argument doesn't fit the function's annotation. This is the outcome of the call, which is not retried."""

    __module__ = "mprun"  # its name in the log, and for imports


class CommandFailed(MprunError):  # noqa: N818 -- a name for workflows: `retries: {on: mprun:CommandFailed}`
    """A program ended other than with exit code 0. The message ends with its last lines on standard error."""

    __module__ = "mprun"  # its name in the log, and for imports


class InputMissing(MprunError):  # noqa: N818 -- a name for workflows, as above
    """A file of the step's `inputs` is not there. The outcome of the call, which was not made; it is not retried."""

    __module__ = "mprun"


class OutputMissing(MprunError):  # noqa: N818 -- a name for workflows, as above
    """A call has returned and not made a file of its step's `outputs`. The outcome of the call."""

    __module__ = "mprun"


class SecretError(MprunError):
    """A value would have written a secret to disk. This is the outcome of the call that returned it."""

    __module__ = "mprun"


class LogError(MprunError):
    """The event log can't be written (any more)."""


class ItemError(MprunError):
    """An item of a source can't be used: its place (`data.csv:17`) and what is wrong with it."""

    __module__ = "mprun"

    def __init__(self, place: str, message: str) -> None:
        super().__init__(place, message)
        self.place = place
        self.message = message

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"
