"""Which runs may go, by count, age and size; and taking them away, with a tombstone in the index."""

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
    """What is kept; None for no bound. The latest `count` runs stay, whatever the other bounds say.

    Of the others, those stay that are no older than `age`, and that need no more than `size` bytes together with all
    later ones. Where `count` is the only bound, the others go.
    """

    count: int | None = None
    age: timedelta | None = None
    size: int | None = None

    def has_room(self, number: int, age: timedelta | None, size: int) -> bool:
        """Whether a run stays: `number` later ones do, and with them it takes `size` bytes."""
        if self.count is not None and (number < self.count or (self.age is None and self.size is None)):
            return number < self.count
        too_old = self.age is not None and age is not None and age > self.age
        return not too_old and (self.size is None or size <= self.size)


def to_prune(runs: Sequence[PastRun], sizes: Sequence[int], keep: Keep, now: datetime) -> list[PastRun]:
    """Those of `runs` (oldest first, with the bytes of their folders) that are not to be kept, oldest first.

    Each of them has a folder. A run at work is kept, and counts. One without a beginning is as old as its neighbour.
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
    """The bytes of the files in `folder` and below it; a run at work may take one away meanwhile."""
    size = 0
    for path in Path(folder).rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            size += 0 if path.is_dir() else path.lstat().st_size
    return size


def prune(runs_dir: str, run: PastRun) -> None:
    """Remove the folder of `run`; the index keeps that it was there, and its last seal. Raises UsageError."""
    folder = os.path.join(runs_dir, "runs", run.run_id)
    try:
        append(
            index_path(runs_dir), "run.pruned", run.run_id, state=run.state, seal=last_seal(os.path.join(folder, LOG))
        )
        shutil.rmtree(folder)
    except OSError as error:
        raise UsageError(f"{folder} can't be removed: {error.strerror}") from error
