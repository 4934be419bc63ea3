"""The notes that a run has made of its steps, read: see `engines.results.notes`, which writes them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mprun.engines.results.notes import CODE, STEPS
from mprun.plan.digests import Parts


@dataclass(frozen=True, slots=True)
class StepNote:
    """What the work of a step was: `digest` is that of all `parts`, or empty where the code is not among them yet.

    `version` is that of the digest. `first_digest` is the one in version 1 by which some tasks were reused; with
    `is_of_first`, the note is about these tasks alone. `changed` are files of its code that were changed meanwhile.
    """

    version: int
    digest: str
    parts: Parts
    first_digest: str = ""
    is_of_first: bool = False
    changed: tuple[str, ...] = ()

    def each(self) -> Iterator[StepNote]:
        """This note, and the one about those tasks, if there are any."""
        yield self
        if self.first_digest:
            yield StepNote(1, self.first_digest, self.parts, is_of_first=True, changed=self.changed)


def read_notes(folder: str) -> dict[str, StepNote]:
    """The note of each step of the run in `folder` whose turn has come, in that order."""
    notes: dict[str, StepNote] = {}
    for fields in _lines(folder, STEPS):
        with contextlib.suppress(KeyError, TypeError, ValueError):
            name = str(fields["step"])
            notes[name] = _read(fields, notes.get(name))
    return notes


def read_modules(folder: str) -> dict[str, dict[str, str]]:
    """What each part that is code consisted of, by the digest of the part: modules, each with what it counted by."""
    modules: dict[str, dict[str, str]] = {}
    for fields in _lines(folder, CODE):
        with contextlib.suppress(KeyError, TypeError, ValueError):
            modules[fields["code"]] = dict(fields["modules"])
    return modules


def read_first_tasks(folder: str, step: str) -> frozenset[int]:
    """The tasks of `step` that the run in `folder` has reused by version 1 of the digests."""
    try:
        data = Path(folder, "digests", f"{step}.first").read_bytes()
    except OSError:
        return frozenset()
    *lines, _ = data.split(b"\n")
    return frozenset(int(line) for line in lines if line.isdigit())


def _read(fields: dict[str, Any], before: StepNote | None) -> StepNote:
    if "changed" in fields:
        return replace(before or StepNote(1, "", {}), changed=tuple(map(str, fields["changed"])))
    version, digest = int(fields.get("version", 1)), str(fields.get("digest", ""))
    if version == 1 and "digest" not in fields:
        raise KeyError("digest")
    return StepNote(version, digest, dict(fields["parts"]), str(fields.get("first_digest", "")))


def _lines(folder: str, name: str) -> Iterator[dict[str, Any]]:
    """The lines of a file of notes that can be read: a crash may have torn some."""
    try:
        lines = Path(folder, "digests", name).read_bytes().split(b"\n")
    except OSError:
        return
    for line in lines:
        with contextlib.suppress(ValueError, RecursionError):
            fields = json.loads(line)
            if isinstance(fields, dict):
                yield fields
