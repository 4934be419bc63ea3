"""The one boundary of the command: arguments in, exit code out, and each error as a message."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from functools import partial
from types import FrameType

from mprun import __version__
from mprun.cli.commands import COMMANDS
from mprun.cli.output import OutputError, occupy_standard_streams, say, show
from mprun.cli.runs_dir import runs_dir_without_options
from mprun.errors.exceptions import ExitCode, LogError, UsageError, WorkflowError


class _InterruptError(BaseException):
    """Ctrl-C before or after a run. During a run, the run itself handles it."""


def run_command_line(arguments: Sequence[str]) -> int:
    """Carry out one command and return its exit code (see `ExitCode`)."""
    occupy_standard_streams()
    interrupts: list[int] = []
    signal.signal(signal.SIGINT, partial(_interrupt, interrupts))
    try:
        _carry_out(list(arguments))
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else ExitCode.SUCCEEDED
    except (Exception, _InterruptError) as error:  # noqa: BLE001 -- the last boundary
        # A library may have turned the interrupt into an error of its own, as pydantic does while it builds a schema.
        return ExitCode.INTERRUPTED if interrupts else _report(error)
    return ExitCode.SUCCEEDED


def _report(error: BaseException) -> ExitCode:
    """Print what `error` is, and return its exit code."""
    match error:
        case WorkflowError():
            from mprun.errors.diagnostics import render_all

            say(render_all(error.diagnostics))
            return ExitCode.USAGE
        case UsageError() | LogError():
            say(f"error: {error}\n")
            return ExitCode.USAGE
        case OutputError():
            say(f"error: {error}\n" if str(error) else "")
            return ExitCode.FAILED
    import traceback

    trace = "".join(traceback.format_exception(error))
    say(f"{trace}error: this is a fault of mprun's own, not of the workflow; please report it\n")
    return ExitCode.FAULT


def _carry_out(arguments: list[str]) -> None:
    _refuse_misspelt(arguments)
    if file := _lone_file(arguments):
        raise SystemExit(_run(file))
    if arguments[:1] == ["--version"]:
        show(f"mprun {__version__}\n")
        return
    from mprun.cli.app import app

    if arguments and arguments[0] not in (*COMMANDS, "--help"):
        arguments = ["run", *arguments]  # `mprun FILE` is short for `mprun run FILE`
    app(arguments, prog_name="mprun")


def _refuse_misspelt(arguments: list[str]) -> None:
    """Raises UsageError where the first word is neither a command nor a file, and is spelt like a command."""
    word = arguments[0] if arguments else "-"
    if word in COMMANDS or word.startswith("-") or os.path.exists(word):
        return
    import difflib  # not on the way of a run

    if meant := difflib.get_close_matches(word, COMMANDS, 1, cutoff=0.75):
        raise UsageError(f"there is no command and no file `{word}`: did you mean `mprun {meant[0]}`?")


def _lone_file(arguments: list[str]) -> str:
    """Return the file of `mprun FILE` and `mprun run FILE`, which need no parser; empty for anything else."""
    match arguments:
        case [word] if word in COMMANDS:
            return ""
        case [file] | ["run", file] if not file.startswith("-"):
            return file
    return ""


def _run(file: str) -> ExitCode:
    """Run `file` without the parser, whose import would delay the children."""
    from mprun.cli.run_file import run_file
    from mprun.loading.params.inputs import param_inputs

    return run_file(file, param_inputs([], "", os.environ), runs_dir=runs_dir_without_options())


def _interrupt(interrupts: list[int], number: int, frame: FrameType | None) -> None:
    interrupts.append(number)
    raise _InterruptError
