"""Where the system lets nobody start another process: an answer in words, or none where one comes later."""

from __future__ import annotations

import subprocess
from multiprocessing import forkserver
from typing import Any, NoReturn

import pytest

from mprun.engines.boot import boot_fork_server
from mprun.errors.exceptions import UsageError
from mprun.planning.check.child import CheckChild


def refuse(*_: Any, **__: Any) -> NoReturn:
    raise BlockingIOError(11, "Resource temporarily unavailable")


def test_targets_that_cannot_be_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", refuse)
    with pytest.raises(UsageError, match="no process can be started: Resource temporarily unavailable; `ulimit -u`"):
        CheckChild()


def test_a_fork_server_that_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is booted ahead of time; the first child that needs it will meet the same error, and tell it."""
    monkeypatch.setattr(forkserver, "ensure_running", refuse)
    boot_fork_server()
