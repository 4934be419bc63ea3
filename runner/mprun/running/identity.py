"""The id of a run, and what the head of its log says about its surroundings: user, machine, versions, git commit."""

from __future__ import annotations

import contextlib
import getpass
import os
import platform
import secrets
import subprocess
import time
from typing import Any

from mprun.system.machine import available_cpus

GIT_TIME = 5.0  # seconds that git may take
_STATUS = ("status", "--porcelain=v2", "--branch", "--untracked-files=no")


def new_run_id(now: float) -> str:
    """Return an id that sorts by time: UTC date, time to the millisecond, 8 random hex digits.

    `now` is seconds since the epoch. The digits keep two runs of the same millisecond apart, also on two machines.
    """
    moment = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))
    return f"{moment}-{int(now * 1000) % 1000:03d}-{secrets.token_hex(4)}"


def surroundings() -> dict[str, Any]:
    """Return the user, host, platform, Python and CPUs of this process, as fields of `run.started`."""
    return {
        "user": _user(),
        "host": platform.node(),
        "platform": _platform(),
        "python": platform.python_version(),
        "cpus": available_cpus(),
    }


class GitState:
    """The state of the git repository around `folder`. git starts at once and works while the caller does other things.

    As a context manager, it ends git if nobody asked for the answer.
    """

    def __init__(self, folder: str) -> None:
        self._git: subprocess.Popen[str] | None = None
        with contextlib.suppress(OSError):
            self._git = subprocess.Popen(
                ["git", "--no-optional-locks", "-C", folder or ".", *_STATUS],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                errors="replace",
            )

    def fields(self) -> dict[str, Any]:
        """Return commit and dirtiness as fields of `run.started`; empty without a repository, or if git is slow."""
        if self._git is None:
            return {}
        with contextlib.suppress(subprocess.TimeoutExpired):
            status, _ = self._git.communicate(timeout=GIT_TIME)
            return _git_fields(status.splitlines()) if self._git.returncode == 0 else {}
        self._end()
        return {}

    def __enter__(self) -> GitState:
        return self

    def __exit__(self, *raised: object) -> None:
        self._end()

    def _end(self) -> None:
        if self._git is not None and self._git.returncode is None:
            self._git.kill()
            self._git.communicate()


def _git_fields(status: list[str]) -> dict[str, Any]:
    commit = next((line.split()[-1] for line in status if line.startswith("# branch.oid ")), "")
    return {"git_commit": commit, "git_dirty": any(not line.startswith("#") for line in status)} if commit else {}


def _platform() -> str:
    """Return `platform.platform()` without the processor's kind, for which the original starts a process."""
    parts = [platform.system(), platform.release(), platform.machine()]
    libc = "".join(platform.libc_ver())
    return "-".join([*parts, "with", libc] if libc else parts)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
