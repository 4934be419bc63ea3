"""The child process in which targets are checked, from its start to its end."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

from mprun.errors.exceptions import UsageError
from mprun.plan.child_spec import Surroundings
from mprun.worker.checks.problems import Use

IMPORT_TIMEOUT = 60.0  # seconds for one module
TIMEOUT_VARIABLE = "MPRUN_IMPORT_TIMEOUT"

TOOK = "took longer than"


class CheckChild:
    """One process of `mprun.worker.checks.check`. It boots at once; `ask` sends what it must check.

    Raises UsageError if the time limit in the environment is not valid, or if no process can start.
    """

    def __init__(self) -> None:
        self.how_it_ended = ""
        self._limit = _import_timeout()
        self._asked = False
        try:
            self._answers, writer = os.pipe()
            self._process = _started(writer)
            os.close(writer)
        except OSError as error:
            raise UsageError(
                f"the targets can't be checked, as no process can be started: {error.strerror}; "
                "`ulimit -u` and `ulimit -n` show how many processes and open files you may have"
            ) from error

    def ask(self, surroundings: Surroundings, questions: list[tuple[int, Use]]) -> None:
        """Send uses to check, in this order. The answers have the same numbers."""
        self._asked = True
        data = pickle.dumps((surroundings, questions))
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(len(data).to_bytes(8, "little") + data)
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # the child is dead already, which its answers will show

    def answers(self) -> Iterator[dict[str, Any]]:
        """Yield the answers as they come, until the child ends, or is killed because one of them takes too long."""
        rest = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self._answers, selectors.EVENT_READ)
            until = time.monotonic() + self._limit
            while selector.select(max(0.0, until - time.monotonic())):
                data = os.read(self._answers, 1 << 16)
                if not data:
                    break
                until = time.monotonic() + self._limit
                *lines, rest = (rest + data).split(b"\n")
                yield from map(json.loads, lines)
            else:
                self.how_it_ended = f"{TOOK} {self._limit:g} s"
        self.kill()

    def kill(self) -> None:
        """Kill the child and everything that it started."""
        if self._process.returncode is not None:
            return
        if self.how_it_ended or not self._asked:
            self._kill_group()
        try:
            code = self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            self._kill_group()
            code = self._process.wait()
        self._kill_group()
        os.close(self._answers)
        if self._process.stdin is not None:
            self._process.stdin.close()
        self.how_it_ended = self.how_it_ended or _ended(code)

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)


def _import_timeout() -> float:
    """Return the limit for one import in seconds. Raises UsageError."""
    text = os.environ.get(TIMEOUT_VARIABLE, "")
    try:
        seconds = float(text or IMPORT_TIMEOUT)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < threading.TIMEOUT_MAX:
        raise UsageError(f"{TIMEOUT_VARIABLE} is a number of seconds, not `{text}`")
    return seconds


def _ended(code: int) -> str:
    if code >= 0:
        return f"ends the process with exit code {code}"
    return f"kills the process ({signal.Signals(-code).name})"


def _started(writer: int) -> subprocess.Popen[bytes]:
    """Start the process, which answers into the pipe `writer`. Raises OSError."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "mprun.worker.checks.check", str(writer)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(writer,),
        start_new_session=True,
    )
