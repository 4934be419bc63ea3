"""The folder of a run: made anew, for its owner's eyes only."""

from __future__ import annotations

import os
from pathlib import Path

from mprun.errors.exceptions import LogError


def make_run_folder(runs_dir: str, run_id: str) -> str:
    """Make `<runs_dir>/runs/<run_id>` and return it. The runs folder ignores itself in git. Raises LogError."""
    folder = Path(runs_dir, "runs", run_id)
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        ignore = Path(runs_dir, ".gitignore")
        if not ignore.exists():
            ignore.write_text("*\n")
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise LogError(f"the run's folder {folder} can't be made: {error.strerror}") from error
    return str(folder)


def write_new_file(path: str, text: str) -> None:
    """Write a file that must not exist yet, mode 0600. Raises LogError."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with open(fd, "w", encoding="utf-8", errors="surrogatepass") as file:
            file.write(text)
    except OSError as error:
        raise LogError(f"{path} can't be written: {error.strerror}") from error
