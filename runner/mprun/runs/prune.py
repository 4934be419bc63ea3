"""Decides which runs may be pruned, by number, age and size; removes them, and records that in the index."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from mprun.errors.exceptions import UsageError
from mprun.log.reading.last import last_seal
from mprun.runs.find import LOG
from mprun.runs.history import PastRun
from mprun.runs.index import append, index_path


@dataclass(frozen=True, slots=True)
class Keep:
    """The runs to keep; None for no bound. The latest `count` runs stay, whatever the other bounds say.

    Of the other runs, those stay that are no older than `age`, and that fit into `size` bytes together with all later
    runs. If `count` is the only bound, the other runs go.
    """

    count: int | None = None
    age: timedelta | None = None
    size: int | None = None

    def has_room(self, number: int, age: timedelta | None, size: int) -> bool:
        """Return whether a run stays before which `number` later runs stay, and with which they take `size` bytes."""
        if self.count is not None and (number < self.count or (self.age is None and self.size is None)):
            return number < self.count
        too_old = self.age is not None and age is not None and age > self.age
        return not too_old and (self.size is None or size <= self.size)


def to_prune(runs: Sequence[PastRun], sizes: Sequence[int], keep: Keep, now: datetime) -> list[PastRun]:
    """Return those of `runs` that `keep` doesn't keep. `runs` and the result are in order, oldest first.

    `sizes` are the bytes of the runs' folders; each run has a folder. A running run is always kept, and counts. A run
    without a start time is never too old.
    """
    pruned = []
    kept_count = kept_size = 0
    for run, size in zip(reversed(runs), reversed(sizes), strict=True):
        age = now - run.began if run.began else None
        if run.state == "running" or keep.has_room(kept_count, age, kept_size + size):
            kept_count, kept_size = kept_count + 1, kept_size + size
        else:
            pruned.append(run)
    return pruned[::-1]


def folder_size(folder: str) -> int:
    """Return the bytes of all files below `folder`. A running run may remove a file in the meantime."""
    size = 0
    for path in Path(folder).rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            size += 0 if path.is_dir() else path.lstat().st_size
    return size


def prune(runs_dir: str, run: PastRun) -> None:
    """Remove the folder of `run`. The index keeps its id and its last seal. Raises UsageError."""
    # The index comes first: a folder that is gone without a line would look like a run that somebody took away.
    folder = os.path.join(runs_dir, "runs", run.run_id)
    try:
        append(
            index_path(runs_dir), "run.pruned", run.run_id, state=run.state, seal=last_seal(os.path.join(folder, LOG))
        )
        shutil.rmtree(folder)
    except OSError as error:
        raise UsageError(f"{folder} can't be removed: {error.strerror}") from error
