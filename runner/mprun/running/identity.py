"""What the head of a log says about where and as whom a run took place, and the run's name."""

from __future__ import annotations

import getpass
import os
import platform
import secrets
import subprocess
import time
from typing import Any

from mprun.system import available_cpus


def new_run_id(now: float) -> str:
    """An id that sorts by time: UTC date, time to the millisecond, random characters that nobody can guess."""
    moment = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))
    return f"{moment}-{int(now * 1000) % 1000:03d}-{secrets.token_hex(4)}"


def surroundings() -> dict[str, Any]:
    """User, host, platform and Python of this process."""
    return {
        "user": _user(),
        "host": platform.node(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "cpus": available_cpus(),
    }


def git_state(folder: str) -> dict[str, Any]:
    """Commit and dirtiness of the repository that `folder` lies in; nothing where there is none, or no git."""
    try:
        told = subprocess.run(
            ["git", "-C", folder, "status", "--porcelain=v2", "--branch", "--untracked-files=no"],
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        ).stdout.splitlines()
    except (OSError, subprocess.SubprocessError):
        return {}
    commit = next((line.split()[-1] for line in told if line.startswith("# branch.oid ")), "")
    return {"git_commit": commit, "git_dirty": any(not line.startswith("#") for line in told)} if commit else {}


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
