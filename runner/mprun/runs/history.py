"""Lists the runs of a folder. It reads only the first and the last lines of each log."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, BinaryIO, Literal

from mprun.errors.exceptions import UsageError
from mprun.log.codec.event import Event, LineError, event_of
from mprun.log.reading.last import run_end
from mprun.log.reading.lines import refuse_newer
from mprun.log.reading.lock import is_locked
from mprun.log.reading.regular import open_regular
from mprun.log.words import MAX_LINE, OUTCOMES
from mprun.runs.find import RunFiles, run_files, run_ids
from mprun.runs.index import index_path, read_index

State = Literal["succeeded", "failed", "interrupted", "running", "incomplete", "missing", "unreadable"]


@dataclass(frozen=True, slots=True)
class PastRun:
    """One run.

    `duration` is in seconds, None without an end; `outcomes` counts tasks; `size` is the log's size in bytes.

    `run_id` is the name of the folder, whatever the log says: the folder may be a copy, or changed.
    """

    run_id: str
    state: State
    name: str = ""
    workflow: str = ""
    started: str = ""
    duration: float | None = None
    steps: int = 0
    tasks: int | None = None
    outcomes: dict[str, int] | None = None
    size: int = 0
    reused: int = 0

    def document(self) -> dict[str, Any]:
        """Return the run as JSON data."""
        return {key: getattr(self, key) for key in self.__slots__}

    @property
    def began(self) -> datetime | None:
        """The start of the run in UTC; None if unknown."""
        return _moment(self.started)

    @property
    def ended(self) -> datetime | None:
        """The end of the run in UTC; None if unknown."""
        return self.began + timedelta(seconds=self.duration) if self.began and self.duration is not None else None


def past_runs(runs_dir: str) -> Iterator[PastRun]:
    """Yield the runs in `runs_dir`, oldest first. A run that only the index has, and that nobody pruned, is `missing`.

    Raises UsageError.
    """
    known = set(run_ids(runs_dir))
    for run_id in sorted({*known, *_missing(runs_dir, known)}):
        yield past_run(run_files(runs_dir, run_id)) if run_id in known else PastRun(run_id, "missing")


def past_run(run: RunFiles) -> PastRun:
    """Return what the log of `run` says at its beginning and its end."""
    try:
        with open_regular(run.log) as file:
            return _read(run, file)
    except FileNotFoundError:
        return PastRun(run.name, "incomplete" if os.path.isdir(run.folder) else "missing")
    except (OSError, UsageError, LineError):
        return PastRun(run.name, "unreadable")


def _read(run: RunFiles, file: BinaryIO) -> PastRun:
    size = os.fstat(file.fileno()).st_size
    line = file.readline(MAX_LINE)
    # Before the end is read: otherwise a run that ends in between would look incomplete.
    at_work = is_locked(file.fileno())
    if not line.endswith(b"\n"):
        return PastRun(run.name, "running" if at_work else "incomplete", size=size)
    head = event_of(line)
    refuse_newer(head, run.log)
    _need(head, _HEAD)
    end = run_end(file)
    if end:
        _need(end, _END | {key: int for key in (*OUTCOMES, "reused_tasks") if key in end})
    # A run whose end is written is at work until it releases its log, because its folder is still in use.
    state: State = "running" if at_work else end["outcome"] if end else "incomplete"
    return PastRun(
        run.name,
        state,
        head["name"],
        head["workflow"],
        head["ts"],
        end.get("duration"),
        len(head["steps"]),
        end.get("tasks"),
        {outcome: end[outcome] for outcome in OUTCOMES if outcome in end} if end else None,
        size,
        end.get("reused_tasks", 0),
    )


_Kinds = dict[str, type | tuple[type, ...]]
_HEAD: _Kinds = {"name": str, "workflow": str, "ts": str, "steps": list}
_END: _Kinds = {"outcome": str, "duration": (int, float), "tasks": int}


def _need(event: Event, keys: _Kinds) -> None:
    """Raise LineError if `event` lacks one of `keys`, or has a value of another type there."""
    for key, kind in keys.items():
        if not isinstance(event.get(key), kind):
            raise LineError(f"`{event['event']}` lacks `{key}`, or has a wrong one")


def _missing(runs_dir: str, known: set[str]) -> list[str]:
    try:
        entries = read_index(index_path(runs_dir)).entries
    except OSError:
        return []
    return [run_id for run_id, events in entries.items() if run_id not in known and "run.pruned" not in events]


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
