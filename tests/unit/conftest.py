"""Nothing in this folder starts a process: so all of it takes seconds, and anybody can run it while typing."""

from __future__ import annotations

import _posixsubprocess
import os
import subprocess
from multiprocessing.process import BaseProcess
from typing import Any, NoReturn

import pytest

STARTS = [
    (os, "fork"),
    (os, "forkpty"),
    (os, "posix_spawn"),
    (os, "posix_spawnp"),
    (os, "system"),
    (subprocess, "Popen"),
    (subprocess, "_fork_exec"),
    (_posixsubprocess, "fork_exec"),
    (BaseProcess, "start"),
]


class ProcessStarted(BaseException):
    """Not an Exception: the code under test must not take it for an error that it knows how to handle."""


@pytest.fixture(autouse=True)
def _no_process_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    for owner, name in STARTS:
        monkeypatch.setattr(owner, name, _refuse)


def _refuse(*_: Any, **__: Any) -> NoReturn:
    raise ProcessStarted("a test in tests/unit starts a process: it belongs into tests/engine or tests/commands")
