"""Finds the run that a reference means: an id or its beginning, `latest`, or the path of a run's folder or log."""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from mprun.errors.exceptions import UsageError
from mprun.log.head import head_path

LOG = "events.jsonl"
_RUN_ID = re.compile(r"\d{8}-\d{6}-\d{3}-[0-9a-f]{8}", re.ASCII)
MAX_LISTED = 5


@dataclass(frozen=True, slots=True)
class RunFiles:
    """The paths of a run's files. `index` is empty for a log outside a folder of runs."""

    name: str
    log: str
    index: str = ""

    @property
    def head(self) -> str:
        return head_path(self.log)

    @property
    def folder(self) -> str:
        return os.path.dirname(self.log) or "."


def find_run(reference: str, runs_dir: str) -> RunFiles:
    """Return the run that `reference` means, among the runs of `runs_dir` unless it is a path. Raises UsageError."""
    runs = os.path.join(runs_dir, "runs")
    if reference == "latest":
        ids = run_ids(runs_dir)
        if not ids:
            raise UsageError(f"there is no run in {runs}")
        return _in_folder(os.path.join(runs, ids[-1]))
    if os.sep in reference or os.path.exists(reference):
        return _at_path(reference)
    found = [run_id for run_id in run_ids(runs_dir) if run_id.startswith(reference)] if reference else []
    if reference in found:
        found = [reference]
    if len(found) == 1:
        return _in_folder(os.path.join(runs, found[0]))
    raise UsageError(_ambiguous(reference, found) if found else _unknown(reference, runs_dir))


def run_ids(runs_dir: str) -> list[str]:
    """Return the names of the runs in `runs_dir`, oldest first, after runs that somebody renamed or copied there.

    Raises UsageError.
    """
    try:
        with os.scandir(os.path.join(runs_dir, "runs")) as entries:
            names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False) and _is_run(entry)]

    except FileNotFoundError:
        return []
    except OSError as error:
        raise UsageError(f"the runs in {runs_dir} can't be listed: {error.strerror}") from error
    return sorted(names, key=lambda name: (is_run_id(name), name))


def is_run_id(name: str) -> bool:
    """Return whether `name` has the form of the names that mprun gives to folders of runs."""
    return bool(_RUN_ID.fullmatch(name))


def _is_run(entry: os.DirEntry[str]) -> bool:
    return is_run_id(entry.name) or (not entry.name.startswith(".") and os.path.isfile(os.path.join(entry.path, LOG)))


def run_files(runs_dir: str, run_id: str) -> RunFiles:
    """Return the files of one of `run_ids`."""
    return _in_folder(os.path.join(runs_dir, "runs", run_id))


def _at_path(path: str) -> RunFiles:
    if os.path.isdir(path):
        if not os.path.isfile(os.path.join(path, LOG)):
            raise UsageError(f"{path} is not the folder of a run: there is no {LOG} in it")
        return _in_folder(path)
    if not os.path.isfile(path):
        raise UsageError(f"there is no log at {path}")
    if os.path.basename(path) == LOG:
        return _in_folder(os.path.dirname(path) or ".")
    return RunFiles(path, path)


def _in_folder(folder: str) -> RunFiles:
    path = Path(folder).absolute()
    index = path.with_name("index.jsonl")
    return RunFiles(path.name, os.path.join(folder, LOG), str(index) if index.is_file() else "")


def _ambiguous(reference: str, found: list[str]) -> str:
    listed = ", ".join(found[-MAX_LISTED:])
    return f"`{reference}` is the beginning of {len(found):,} runs: {listed}{' …' if len(found) > MAX_LISTED else ''}"


def _unknown(reference: str, runs_dir: str) -> str:
    ids = run_ids(runs_dir)
    runs = os.path.join(runs_dir, "runs")
    if not ids:
        return f"there is no run `{reference}`: {runs} holds none; `--runs-dir` names another folder"
    near = difflib.get_close_matches(reference, ids, n=3, cutoff=0.8)
    if near:
        return f"there is no run `{reference}` in {runs}: did you mean {' or '.join(f'`{run}`' for run in near)}?"
    return f"there is no run `{reference}` in {runs}; the latest are {', '.join(ids[-MAX_LISTED:])}"
