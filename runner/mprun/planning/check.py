"""Checks a plan's targets in a child process, before anything starts, and puts what it finds into the file's places."""

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
from dataclasses import replace
from typing import Any

from mprun.errors import Diagnostic, UsageError
from mprun.models.workflow import Workflow
from mprun.places import Path, Places
from mprun.plan import Plan
from mprun.planning.uses import uses
from mprun.worker.problems import Use

IMPORT_TIMEOUT = 60.0  # seconds for one module
_TIMEOUT_VARIABLE = "MPRUN_IMPORT_TIMEOUT"

_TOOK = "took longer than"
_ON_TIME = (
    f"work belongs into a function; where the import itself is that slow, {_TIMEOUT_VARIABLE} allows more seconds"
)


class TargetCheck:
    """A check under way. The child starts at once, so that the caller can do other work until `diagnostics`."""

    def __init__(self, plan: Plan, written: Workflow, places: Places) -> None:
        self._plan = plan
        self._places = places
        self._uses = dict(enumerate(uses(plan, written)))
        self._waiting = list(self._uses)
        self._child = _CheckChild(plan, self._questions()) if self._uses else None

    def diagnostics(self) -> list[Diagnostic]:
        """What is wrong with the targets. Waits for the child; one that dies or hangs is replaced for what is left."""
        found: list[Diagnostic] = []
        try:
            while self._child is not None:
                found += self._hear(self._child)
                self._child = _CheckChild(self._plan, self._questions()) if self._waiting else None
        finally:
            self.close()
        return found

    def close(self) -> None:
        """End the child, whatever it is at."""
        if self._child is not None:
            self._child.kill()

    def _questions(self) -> list[tuple[int, Use]]:
        return [(number, self._uses[number][1]) for number in self._waiting]

    def _hear(self, child: _CheckChild) -> Iterator[Diagnostic]:
        at: int | None = None
        for answer in child.answers():
            if "checking" in answer:
                at = answer["checking"]
                continue
            at = None
            self._waiting.remove(answer["checked"])
            for problem in answer["problems"]:
                yield self._placed(self._uses[answer["checked"]][0], problem)
        if at is None and self._waiting:  # it died before it could begin, which no module of the user's can cause
            at = self._waiting[0]
        if at is not None:
            self._waiting.remove(at)
            yield self._died(at, child.how_it_ended)

    def _placed(self, step: Path, problem: dict[str, Any]) -> Diagnostic:
        path = (*step, *problem["path"])
        if isinstance(path[-1], str) and path[-2:-1] == ("kwargs",):
            place = self._places.key(path)
        else:
            place = self._places.value(path)
        near = place.text.find(problem["near"], place.column - 1 + problem["skip"]) if problem["near"] else -1
        if near >= 0:
            place = replace(place, column=near + 1, length=len(problem["near"]))
        return Diagnostic(problem["code"], problem["message"], place, problem["advice"], tuple(problem["notes"]))

    def _died(self, number: int, how: str) -> Diagnostic:
        step, use = self._uses[number]
        name = use.target.module or os.path.basename(use.target.file)
        notes = (_ON_TIME,) if how.startswith(_TOOK) else ()
        return Diagnostic("import", f"importing `{name}` {how}", self._places.value((*step, *use.at)), notes=notes)


class _CheckChild:
    """One `mprun.worker.check` process."""

    def __init__(self, plan: Plan, questions: list[tuple[int, Use]]) -> None:
        self.how_it_ended = ""
        self._limit = _import_timeout()
        reader, writer = os.pipe()
        self._answers = reader
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "mprun.worker.check", str(writer)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(writer,),
            start_new_session=True,
        )
        os.close(writer)
        data = pickle.dumps((plan.surroundings, questions))
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(len(data).to_bytes(8, "little") + data)
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it is dead already, which its answers will show

    def answers(self) -> Iterator[dict[str, Any]]:
        """Its answers as they come, until it ends, or is killed for taking too long over one of them."""
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
                self.how_it_ended = f"{_TOOK} {self._limit:g} s"
        self.kill()

    def kill(self) -> None:
        """Kill what is left of it and of what it started."""
        if self._process.returncode is not None:
            return
        if self.how_it_ended:
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
    """Raises UsageError."""
    text = os.environ.get(_TIMEOUT_VARIABLE, "")
    try:
        seconds = float(text or IMPORT_TIMEOUT)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < threading.TIMEOUT_MAX:
        raise UsageError(f"{_TIMEOUT_VARIABLE} is a number of seconds, not `{text}`")
    return seconds


def _ended(code: int) -> str:
    if code >= 0:
        return f"ends the process with exit code {code}"
    return f"kills the process ({signal.Signals(-code).name})"
