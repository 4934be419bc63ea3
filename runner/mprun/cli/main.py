"""The one boundary of the command: arguments in, exit code out, every error in words."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from mprun.errors import ExitCode, LogError, MprunError, UsageError, WorkflowError


class _Interrupted(MprunError):
    """Ctrl-C before or after a run; while it is at work, the run itself decides."""


def run_command_line(arguments: Sequence[str]) -> int:
    """Carry out one command and return its exit code (see `ExitCode`)."""
    signal.signal(signal.SIGINT, _interrupt)
    try:
        _carry_out(list(arguments))
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else ExitCode.SUCCEEDED
    except WorkflowError as error:
        from mprun.diagnostics import render_all

        _say(render_all(error.diagnostics))
        return ExitCode.USAGE
    except (UsageError, LogError) as error:
        _say(f"error: {error}\n")
        return ExitCode.USAGE
    except _Interrupted:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:  # whoever read our output has heard enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return ExitCode.FAILED
    except Exception:
        import traceback

        _say(f"{traceback.format_exc()}error: this is a fault of mprun's own, not of the workflow; please report it\n")
        return ExitCode.FAULT
    return ExitCode.SUCCEEDED


def _carry_out(arguments: list[str]) -> None:
    from mprun.cli.app import COMMANDS, app

    if arguments and arguments[0] not in (*COMMANDS, "--help", "--version"):
        arguments = ["run", *arguments]  # `mprun FILE` is short for `mprun run FILE`
    app(arguments, prog_name="mprun")


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise _Interrupted


def _say(text: str) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        pass  # a closed stderr: the exit code still says it
