"""Runs a program in the place of a function: without a shell, its output passed on as it comes and returned as text."""

from __future__ import annotations

import math
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any, TextIO

from mprun.errors.exceptions import CommandFailed
from mprun.language.references import written_out
from mprun.plan.child_spec import PoolCall
from mprun.worker.calls.scope import Scope

MAX_CAPTURED = 64 * 1024 * 1024  # bytes of standard output that can be a result
LAST_LINES = 10  # of standard error: they say why a program failed
MAX_LAST = 2000  # bytes of them

_READ_SIZE = 1 << 16
_LOOK_INTERVAL = 0.05  # seconds between two looks whether a silent program has ended
_DRAIN_TIME = 0.5  # seconds to read on after its end, while something that it left behind holds its output


def run_command(command: Sequence[Any]) -> str:
    """Run `command`, a program and its arguments, and return what it wrote on its standard output, without the last
    newline; bytes that are not UTF-8 as `\\xNN`.

    It is in this process's group, so that whatever ends this process ends it too, and its standard input is empty.
    Each argument is one, whatever it contains. Raises CommandFailed where it doesn't exit with 0, OSError where it
    can't be started.
    """
    arguments = [_argument(part) for part in command]
    with subprocess.Popen(
        arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
    ) as program:
        try:
            output = _follow(program)
        except BaseException:
            program.kill()
            raise
    if program.returncode:
        message = f"`{arguments[0]}` {_ended(program.returncode)}"
        raise CommandFailed("\n".join([message, *output.last_lines()]))
    return output.printed.decode("utf-8", "backslashreplace").removesuffix("\n")


class CommandCall:
    """`command` as the function that a pool calls: `${item}` or `${matrix.x}` in it stand for the call's arguments.

    `scope` has the values of the other references in it, None where there are none.
    """

    def __init__(self, command: tuple[Any, ...], call: PoolCall, scope: Scope | None) -> None:
        self._command = command
        self._call = call
        self._scope = scope or Scope()

    def __call__(self, *args: Any, **kwargs: Any) -> str:
        item = kwargs or list(args) if self._call == "starmap" else next(iter(args), None)
        self._scope.given.update(item=item, matrix=kwargs)
        return run_command(self._scope.evaluate(self._command))


def _argument(part: Any) -> str:
    return os.fspath(part) if isinstance(part, os.PathLike) else written_out(part)


class _Output:
    """What a program has written so far: all of its standard output, the end of its standard error."""

    def __init__(self) -> None:
        self.printed = bytearray()
        self.complaints = b""

    def take_printed(self, data: bytes) -> None:
        _print(sys.stdout, data)
        self.printed += data
        if len(self.printed) > MAX_CAPTURED:
            raise CommandFailed(f"it wrote more than {MAX_CAPTURED:,} bytes on its standard output")

    def take_complaints(self, data: bytes) -> None:
        _print(sys.stderr, data)
        self.complaints = (self.complaints + data)[-MAX_LAST:]

    def last_lines(self) -> list[str]:
        lines = self.complaints.decode("utf-8", "backslashreplace").splitlines()
        return [line for line in lines if line.strip()][-LAST_LINES:]


def _follow(program: subprocess.Popen[bytes]) -> _Output:
    """Read what the program writes until it has ended, and its output too; what it left behind may hold that open."""
    output = _Output()
    with selectors.DefaultSelector() as selector:
        for pipe, take in ((program.stdout, output.take_printed), (program.stderr, output.take_complaints)):
            assert pipe is not None
            selector.register(pipe, selectors.EVENT_READ, take)
        until = math.inf
        while selector.get_map() and time.monotonic() < until:
            for key, _ in selector.select(_LOOK_INTERVAL):
                data = os.read(key.fd, _READ_SIZE)
                key.data(data) if data else selector.unregister(key.fileobj)
            if until == math.inf and program.poll() is not None:
                until = time.monotonic() + _DRAIN_TIME
    return output


def _print(stream: TextIO, data: bytes) -> None:
    """Pass `data` on as if this process had printed it."""
    stream.buffer.write(data)
    stream.flush()


def _ended(code: int) -> str:
    if code >= 0:
        return f"exited with code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"
