"""Runs a program in the place of a function: without a shell, its output passed on as it comes and returned as text."""

from __future__ import annotations

import codecs
import math
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, TextIO

from mprun.errors.exceptions import CommandFailed
from mprun.language.references import written_out
from mprun.plan.child_spec import PoolCall
from mprun.system.whole_file import WholeFile
from mprun.worker.calls.scope import Scope

MAX_CAPTURED = 64 * 1024 * 1024  # bytes of standard output that can be a result
LAST_LINES = 10  # of standard error: they say why a program failed
MAX_LAST = 2000  # bytes of them

_READ_SIZE = 1 << 16
_LOOK_INTERVAL = 0.05  # seconds between two looks whether a silent program has ended
_DRAIN_TIME = 0.5  # seconds to read on after its end, while something that it left behind holds its output


def run_command(command: Sequence[Any], stdout: Any = "", stderr: Any = "") -> str:
    """Run `command`, a program and its arguments, and return what it wrote on its standard output, without the last
    newline; bytes that are not UTF-8 as `\\xNN`.

    It is in this process's group, so that whatever ends this process ends it too, and its standard input is empty.
    Each argument is one, whatever it contains. `stdout` and `stderr` are the paths of files for its streams, written
    whole when it has succeeded or not at all; empty for none. With `stdout`, its absolute path is what is returned.
    Raises CommandFailed where it doesn't exit with 0, OSError where it can't be started or a file can't be written.
    """
    arguments, paths = [_argument(part) for part in command], [_absolute(path) for path in (stdout, stderr)]
    with ExitStack() as opened:
        files = [opened.enter_context(WholeFile(path)) if path else None for path in paths]
        output = _run(arguments, files)
        for file in files:
            if file is not None:
                file.publish()
    return paths[0] or output.printed.decode("utf-8", "backslashreplace").removesuffix("\n")


def _run(arguments: Sequence[str], files: Sequence[WholeFile | None]) -> _Output:
    """Run a program with its streams in `files`; where there is none, they are passed on."""
    streams = [subprocess.PIPE if file is None else file.fd for file in files]
    with subprocess.Popen(
        arguments, stdin=subprocess.DEVNULL, stdout=streams[0], stderr=streams[1], bufsize=0
    ) as program:
        try:
            output = _follow(program)
        except BaseException:
            program.kill()
            raise
    if files[1] is not None:
        output.complaints = _end_of(files[1].fd)
    if program.returncode:
        message = f"`{arguments[0]}` {_ended(program.returncode)}"
        raise CommandFailed("\n".join([message, *output.last_lines()]))
    return output


def _end_of(fd: int) -> bytes:
    """The end of what is in a file; nothing where that can't be read again, as in a pipe."""
    try:
        return os.pread(fd, MAX_LAST, max(0, os.fstat(fd).st_size - MAX_LAST))
    except OSError:
        return b""


class CommandCall:
    """`command`, the arguments of `run_command`, as the function that a pool calls: `${item}` or `${matrix.x}` in them
    stand for the call's arguments.

    `scope` has the values of the other references in it, None where there are none.
    """

    def __init__(self, command: tuple[Any, ...], call: PoolCall, scope: Scope | None) -> None:
        self._command = command
        self._call = call
        self._scope = scope or Scope()

    def __call__(self, *args: Any, **kwargs: Any) -> str:
        item = kwargs or list(args) if self._call == "starmap" else next(iter(args), None)
        self._scope.given.update(item=item, matrix=kwargs)
        return run_command(*self._scope.evaluate(self._command))


def _argument(part: Any) -> str:
    return os.fspath(part) if isinstance(part, os.PathLike) else written_out(part)


def _absolute(path: Any) -> str:
    text = _argument(path)
    return os.path.abspath(text) if text else ""


class _Output:
    """What a program has written so far: all of its standard output, the end of its standard error."""

    def __init__(self) -> None:
        self.printed = bytearray()
        self.complaints = b""
        self._is_text = is_text()

    def take_printed(self, data: bytes) -> None:
        if self._is_text(data):
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


def is_text() -> Callable[[bytes], bool]:
    """A function that says of each piece of an output whether all so far is text; the first time that it isn't, that is
    printed in the place of what would garble a terminal."""
    decoder: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")()

    def is_text_so_far(data: bytes) -> bool:
        nonlocal decoder
        if decoder is None:
            return False
        try:
            if "\0" not in decoder.decode(data):
                return True
        except UnicodeDecodeError:
            pass
        decoder = None
        _print(sys.stdout, b"(its output is not text, and isn't shown: `stdout: FILE` writes it to a file)\n")
        return False

    return is_text_so_far


def _follow(program: subprocess.Popen[bytes]) -> _Output:
    """Read what the program writes until it has ended, and its output too; what it left behind may hold that open."""
    output = _Output()
    with selectors.DefaultSelector() as selector:
        for pipe, take in ((program.stdout, output.take_printed), (program.stderr, output.take_complaints)):
            if pipe is not None:  # None where the stream goes to a file
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
