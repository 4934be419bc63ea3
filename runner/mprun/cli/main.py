"""The one boundary of the command: arguments in, exit code out, every error in words."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from types import FrameType

from mprun import __version__
from mprun.cli.commands import COMMANDS
from mprun.cli.output import OutputError, occupy_standard_streams, say, show
from mprun.cli.runs_dir import runs_dir_without_options
from mprun.errors.exceptions import ExitCode, LogError, MprunError, UsageError, WorkflowError


class _InterruptError(MprunError):
    """Ctrl-C before or after a run; while it is at work, the run itself decides."""


def run_command_line(arguments: Sequence[str]) -> int:
    """Carry out one command and return its exit code (see `ExitCode`)."""
    occupy_standard_streams()
    signal.signal(signal.SIGINT, _interrupt)
    try:
        _carry_out(list(arguments))
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else ExitCode.SUCCEEDED
    except WorkflowError as error:
        from mprun.errors.diagnostics import render_all

        say(render_all(error.diagnostics))
        return ExitCode.USAGE
    except (UsageError, LogError) as error:
        say(f"error: {error}\n")
        return ExitCode.USAGE
    except _InterruptError:
        return ExitCode.INTERRUPTED
    except OutputError as error:
        say(f"error: {error}\n" if str(error) else "")
        return ExitCode.FAILED
    except Exception:  # noqa: BLE001 -- the last boundary
        import traceback

        say(f"{traceback.format_exc()}error: this is a fault of mprun's own, not of the workflow; please report it\n")
        return ExitCode.FAULT
    return ExitCode.SUCCEEDED


def _carry_out(arguments: list[str]) -> None:
    if file := _lone_file(arguments):
        raise SystemExit(_run(file))
    if arguments[:1] == ["--version"]:
        show(f"mprun {__version__}\n")
        return
    from mprun.cli.app import app

    if arguments and arguments[0] not in (*COMMANDS, "--help"):
        arguments = ["run", *arguments]  # `mprun FILE` is short for `mprun run FILE`
    app(arguments, prog_name="mprun")


def _lone_file(arguments: list[str]) -> str:
    """The file of `mprun FILE` and `mprun run FILE`, where there is nothing to parse; empty for anything else."""
    match arguments:
        case [word] if word in COMMANDS:
            return ""
        case [file] | ["run", file] if not file.startswith("-"):
            return file
    return ""


def _run(file: str) -> ExitCode:
    """Run `file` without the parser: its import would delay the children."""
    from mprun.cli.run_file import run_file
    from mprun.loading.params.inputs import param_inputs

    return run_file(file, param_inputs([], "", os.environ), runs_dir=runs_dir_without_options())


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise _InterruptError
