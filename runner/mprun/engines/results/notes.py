"""What each step of a run is, noted in the run's folder as it becomes known: another run compares itself by it.

A step has a note when its turn comes. Its code is read later, off the way to the first task, and then it has another.
Where a run was killed between the two, a later run still knows the code if its files are older than this run.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator
from typing import Any

from mprun.plan.plan import Step
from mprun.plan.work import CODE_VERSION, CodeReader, Work

STEPS = "steps.jsonl"  # in the folder of digests: a line for each step whose turn has come, and more as it is known
CODE = "code.jsonl"  # beside it: the modules that a part which is code consists of

_APPENDED = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC


class StepNotes:
    """Notes of a run in `folder`; where that is empty, there are none."""

    def __init__(self, folder: str, code: CodeReader) -> None:
        self._folder = folder
        self._code = code
        self._began = time.time_ns()
        self._works: dict[str, Work] = {}
        self._reading: list[Iterator[None]] = []
        self._known: set[str] = set()

    def begin(self, step: Step, work: Work) -> None:
        """Note the work of `step` without its code, which `advance` reads."""
        if self._folder:
            self._append(STEPS, {"step": step.name, "version": CODE_VERSION, "parts": work.parts})
            self._reading.append(self._read_code(step, work))

    def complete(self, step: Step, work: Work, first_digest: str = "") -> None:
        """Note the work of `step` with its code. Some of its tasks may have been reused by their `first_digest`."""
        if not self._folder:
            return
        self._works[step.name] = work
        for part, modules in work.modules.items():
            self._note_modules(work.whole[part], modules)
        first = {"first_digest": first_digest} if first_digest else {}
        note = {"step": step.name, "version": CODE_VERSION, "digest": work.digest, "parts": work.whole}
        self._append(STEPS, note | first)

    def advance(self) -> bool:
        """Read one module; False where all are known."""
        while self._reading:
            if next(self._reading[0], self) is not self:
                return True
            del self._reading[0]
        return False

    def close(self) -> None:
        """Read what is left, and take back the notes of the steps whose code was changed while they were at work."""
        while self.advance():
            pass
        for name, work in self._works.items():
            if changed := [*work.files_since(self._began), *work.changed_files()]:
                self._append(STEPS, {"step": name, "version": CODE_VERSION, "changed": changed})
        self._works.clear()

    def _read_code(self, step: Step, work: Work) -> Iterator[None]:
        yield from self._code.reading(step, work)
        self.complete(step, work)

    def _note_modules(self, digest: str, modules: dict[str, str]) -> None:
        if digest not in self._known:
            self._known.add(digest)
            self._append(CODE, {"code": digest, "modules": modules})

    def _append(self, name: str, what: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):  # without the note, the step will be run again
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            with open(os.open(os.path.join(self._folder, name), _APPENDED, 0o600), "wb", buffering=0) as file:
                file.write(json.dumps(what).encode() + b"\n")
