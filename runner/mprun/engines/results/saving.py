"""Writes a step's results to the file that its `save` names, once the step has ended: whole or not at all.

A child does it, because it must unpickle what the user's code returned. It writes a temporary file beside the target;
the parent renames that when it is complete.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections import Counter
from typing import Any

from mprun.engines.child.child import Ending
from mprun.engines.child.helper import Helper
from mprun.engines.results.unsaved import failed_fields
from mprun.engines.seam import Execution, Finished, Run
from mprun.plan.plan import Step
from mprun.worker.calls.save import save_results
from mprun.worker.wire.frames import FAILED, SAVED, read_fields


class Saving:
    """The last act of a step whose results are saved: an execution that replaces `execution`, whose work is done.

    `failure` says why they are not saved.
    """

    def __init__(self, run: Run, execution: Execution, finished: Finished) -> None:
        self.failure = ""
        self._run = run
        self._execution = execution
        self._finished = finished
        self._path = str(execution.step.save)
        folder, name = os.path.split(self._path)
        self._unfinished = os.path.join(folder, f".{name}.{secrets.token_hex(4)}")
        self._saved: dict[str, Any] = {}
        self._failed: dict[str, Any] = {}
        self._helper = Helper(run, execution.step, "save", self._frame, self._ended, lambda: finished(self))

    @property
    def error(self) -> str:
        """What is wrong with the step: its `failure`, or what was before."""
        return self.failure or self._execution.error

    @error.setter
    def error(self, error: str) -> None:
        self.failure = self.failure or error

    @property
    def step(self) -> Step:
        return self._execution.step

    @property
    def outcomes(self) -> Counter[str]:
        return self._execution.outcomes

    def ready(self) -> bool:
        return True

    def slot_freed(self) -> None:
        """It needs no slot."""

    def start(self) -> None:
        try:
            stored = self._run.store.stored(self.step.name)
            self._failed = failed_fields(self._failed_tasks())
            self._helper.start(save_results, (stored, self._path, self._unfinished), path=self._path)
        except (OSError, EOFError) as error:
            self._fail(str(error))
            self._run.loop.call_soon(lambda: self._finished(self))

    def cancel(self, why: str) -> None:
        """Let the child finish."""

    def end(self, number: int, why: str) -> None:
        self._helper.end(number, why)

    def signal(self, number: int) -> None:
        self._helper.signal(number)

    def upcoming(self) -> None:
        """There are no further calls."""

    def is_idle(self, pid: int) -> bool:
        return False

    def _failed_tasks(self) -> list[int]:
        results = self._run.store.of(self.step.name)
        all_returned = self.outcomes["returned"] == self.outcomes.total()
        return [] if results is None or all_returned else results.failed()

    def _frame(self, kind: int, body: bytes) -> None:
        if kind == SAVED:
            self._saved = read_fields(body)
        elif kind == FAILED:
            self._fail(str(read_fields(body).get("error")))

    def _ended(self, ending: Ending) -> dict[str, Any]:
        child = self._helper.child
        if not self._saved:
            self._fail((child and child.stopped_by) or f"the child that writes them {ending}")
        elif not self.failure:
            self._put_in_place()
        with contextlib.suppress(OSError):
            os.unlink(self._unfinished)
        return {}

    def _put_in_place(self) -> None:
        try:
            os.replace(self._unfinished, self._path)
            _sync_folder(os.path.dirname(self._path))
        except OSError as error:
            self._fail(str(error))
        else:
            about = {"step": self.step.name, "path": self._path, **self._in_place_of()}
            self._run.events.emit("results.saved", **about, **self._saved, **self._failed)

    def _in_place_of(self) -> dict[str, str]:
        real = self._run.trial.real(self._path) if self._run.trial is not None else ""
        return {"in_place_of": real} if real else {}

    def _fail(self, why: str) -> None:
        self.failure = self.failure or f"its results could not be saved: {why}"


def _sync_folder(folder: str) -> None:
    """Sync the file's name to the disk, where the system can."""
    with contextlib.suppress(OSError):
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
