"""Whoever starts a process in this folder is refused, by whichever way."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from unit.conftest import ProcessStarted


def fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def process_by(start_method: str) -> Callable[[], None]:
    # `start` is looked up when it is called: a fork server that another test has started needs no further process.
    return lambda: multiprocessing.get_context(start_method).Process(target=print).start()


WAYS: dict[str, Callable[[], object]] = {
    "subprocess": lambda: subprocess.run([sys.executable, "-c", ""], check=True),
    "Popen by itself": lambda: subprocess.Popen(["true"]),
    "os.fork": fork,
    "os.system": lambda: os.system("true"),
    "os.posix_spawn": lambda: os.posix_spawn("/bin/true", ["true"], {}),
    **{start_method: process_by(start_method) for start_method in ("fork", "spawn", "forkserver")},
}


@pytest.mark.parametrize("way", WAYS)
def test_a_process_is_refused(way: str) -> None:
    with pytest.raises(ProcessStarted, match="tests/engine"):
        WAYS[way]()
