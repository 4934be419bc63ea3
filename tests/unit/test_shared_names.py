"""Which semaphores are those of a killed run: only such as nobody can use any more are removed."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mprun.sharing import names
from mprun.sharing.names import remove_left_behind, semaphore_prefix

pytestmark = pytest.mark.skipif(not os.path.isdir("/dev/shm"), reason="the system doesn't show semaphores")


@contextmanager
def semaphore(prefix: str) -> Iterator[Path]:
    """The file that the system shows for a semaphore whose name begins with `prefix`."""
    path = Path(f"/dev/shm/sem.{prefix}-{os.urandom(4).hex()}")
    path.write_bytes(b"")
    yield path
    path.unlink(missing_ok=True)


@pytest.fixture
def of_a_living_run() -> Iterator[Path]:
    with semaphore(semaphore_prefix("test").removeprefix("/")) as path:
        yield path


@pytest.fixture
def of_a_killed_run() -> Iterator[Path]:
    with semaphore(f"mprun-{os.getpid()}-1-test") as path:
        yield path


def test_only_those_of_killed_runs_are_removed(of_a_living_run: Path, of_a_killed_run: Path) -> None:
    """Also where another process has the number of the killed one by now."""
    remove_left_behind()
    assert (of_a_living_run.exists(), of_a_killed_run.exists()) == (True, False)


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EACCES, errno.EIO])
def test_none_is_removed_where_one_cannot_tell(
    of_a_living_run: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """A run that has too many files open must not take others for dead."""

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(names, "open", refuse, raising=False)
    remove_left_behind()
    assert of_a_living_run.exists()
    assert semaphore_prefix("test") == ""
