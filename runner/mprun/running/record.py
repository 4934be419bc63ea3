"""The record of a run (its log, the head beside it, its entry in the index), and the run that writes it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mprun.engines.results.tracking import Earlier
from mprun.errors.exceptions import ExitCode, LogError, UsageError
from mprun.log.head import HeadFile, new_head
from mprun.log.writer import open_log
from mprun.plan.plan import Plan, plan_json
from mprun.planning.bind import refers_to_folder
from mprun.running.identity import GitState, new_run_id
from mprun.running.run import RunEnd, run_plan
from mprun.runs.find import LOG
from mprun.runs.index import append, index_path
from mprun.sinks.sink import Sink

Sign = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Record:
    """An open log: its descriptor, and its path for messages.

    `folder`, the absolute path of the run's folder, and `index` are empty for a log outside a folder of runs.
    """

    run_id: str
    fd: int
    log: str
    head: HeadFile | None = None
    index: str = ""
    folder: str = ""

    @property
    def on_stdout(self) -> bool:
        return self.fd == 1


def new_record(plan: Plan, runs_dir: str, *, log: str = "", sign: Sign | None = None) -> Record:
    """Open the log of a new run in a folder of `runs_dir`, or at the path `log`, where `-` is standard output.

    `sign` maps the last seal to its signature. Raises LogError; raises UsageError if the workflow refers to the run's
    folder and there is none.
    """
    run_id = new_run_id(time.time())
    if log and refers_to_folder(plan):
        raise UsageError("a run with `--log` has no folder, and the workflow refers to it: `${run.dir}`")
    if log == "-":
        return Record(run_id, 1, "standard output")
    if log:
        head = new_head(log, sign)
        return Record(run_id, open_log(log), log, head)
    # The folder gets its name when its log is there and locked. So a run's folder never looks as if nobody used it.
    unnamed = _make_run_folder(runs_dir, f".{run_id}")
    _write_new_file(os.path.join(unnamed, "plan.json"), plan_json(plan))
    fd = open_log(os.path.join(unnamed, LOG))
    folder = _name_run_folder(unnamed, run_id)
    path = os.path.join(folder, LOG)
    record = Record(run_id, fd, path, new_head(path, sign), index_path(runs_dir), os.path.abspath(folder))
    try:
        # Last: the index names only runs whose log is there and locked, so that a reader never takes a new run for a
        # lost one.
        append(record.index, "run.started", run_id)
    except OSError as error:
        raise LogError(f"the index {record.index} can't be written: {error.strerror}") from error
    return record


def _make_run_folder(runs_dir: str, name: str) -> str:
    """Make the folder `<runs_dir>/runs/<name>` and return it. Raises LogError.

    `runs_dir` gets a `.gitignore` that ignores the whole of it.
    """
    folder = Path(runs_dir, "runs", name)
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        ignore = Path(runs_dir, ".gitignore")
        if not ignore.exists():
            ignore.write_text("*\n")
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise LogError(f"the run's folder {folder} can't be made: {error.strerror}") from error
    return str(folder)


def _name_run_folder(unnamed: str, run_id: str) -> str:
    """Rename the folder `unnamed` to the run's id and return its new path. Raises LogError."""
    folder = os.path.join(os.path.dirname(unnamed), run_id)
    try:
        os.rename(unnamed, folder)
    except OSError as error:
        raise LogError(f"the run's folder {folder} can't be made: {error.strerror}") from error
    return folder


def _write_new_file(path: str, text: str) -> None:
    """Write a file that must not exist yet, with mode 0600. Raises LogError."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with open(fd, "w", encoding="utf-8", errors="surrogatepass") as file:
            file.write(text)
    except OSError as error:
        raise LogError(f"{path} can't be written: {error.strerror}") from error


def record_run(
    plan: Plan,
    record: Record,
    sinks: Sequence[Sink],
    on_log_error: Callable[[str], None],
    git: GitState | None = None,
    earlier: Earlier | None = None,
    *,
    inline: bool = False,
) -> RunEnd:
    """Run `run_plan` on `record`, and add the end of the run to the index."""
    log, head, folder = record.fd, record.head, record.folder
    where = (log, sinks, on_log_error, head, git, folder, earlier)
    end = run_plan(plan, record.run_id, *where, inline=inline, trial=_trial_folder(record))
    if not record.index or not end.seal:
        return end
    try:
        append(record.index, "run.finished", record.run_id, outcome=end.outcome, seal=end.seal)
    except OSError as error:
        return _not_indexed(end, f"{record.index}: {error.strerror}", on_log_error)
    return end


def _trial_folder(record: Record) -> str:
    """Return the folder for a trial's files: in the run's folder, else beside its log, else in the current folder."""
    if record.folder:
        return os.path.join(record.folder, "trial")
    if os.path.isfile(record.log) and not record.on_stdout:
        return f"{os.path.abspath(record.log)}.trial"
    return os.path.abspath(f"mprun-trial-{record.run_id}")


def _not_indexed(end: RunEnd, reason: str, on_log_error: Callable[[str], None]) -> RunEnd:
    on_log_error(reason)
    code = ExitCode.FAILED if end.exit_code is ExitCode.SUCCEEDED else end.exit_code
    return replace(end, exit_code=code, log_error=reason)
