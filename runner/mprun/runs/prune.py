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
    """What is kept: at most `count` runs, none older than `age`, at most `size` bytes altogether; None for no bound."""

    count: int | None = None
    age: timedelta | None = None
    size: int | None = None


def to_prune(runs: Sequence[PastRun], sizes: Sequence[int], keep: Keep, now: datetime) -> list[PastRun]:
    """Those of `runs` (oldest first, with the bytes of their folders) that are not to be kept, oldest first.

    Each of them has a folder. A run at work is kept, and counts. One without a beginning is as old as its neighbour.
    """
    pruned = []
    kept_count = kept_size = 0
    for run, size in zip(reversed(runs), reversed(sizes), strict=True):
        too_old = keep.age is not None and run.began is not None and now - run.began > keep.age
        too_many = keep.count is not None and kept_count >= keep.count
        too_large = keep.size is not None and kept_size + size > keep.size
        if run.state != "running" and (too_old or too_many or too_large):
            pruned.append(run)
        else:
            kept_count, kept_size = kept_count + 1, kept_size + size
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
