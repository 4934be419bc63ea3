"""Long logs, which several processes verify."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from unit.test_verify import LINES, LOG, run  # noqa: F401 -- a fixture

from mprun.errors.exceptions import UsageError
from mprun.log.verifying import parse_beside
from mprun.log.verifying.verify import verify
from mprun.runs.find import RunFiles

# -- read by several processes


@pytest.mark.parametrize("stretch", [1, 7, 100, 1000, 10**6])
def test_a_log_that_is_parsed_by_several_processes(
    run: RunFiles,  # noqa: F811
    stretch: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Wherever its lines are divided, and whatever is wrong with it: the same is found."""
    damaged = (
        LOG,
        LOG.replace(b'"task":2,', b'"task":7,'),
        b"".join([*LINES[:7], *LINES[9:]]),
        LOG[:-500],
        LOG + b"x" * 3000,
        LOG.replace(b"\n", b" ", 3),
    )
    for log in damaged:
        Path(run.log).write_bytes(log)
        alone = verify(run)
        with monkeypatch.context() as patch:
            patch.setattr(parse_beside, "WORTH_IT", 0)
            patch.setattr(parse_beside, "STRETCH", stretch if len(log) // stretch < 1000 else 50)
            assert verify(run) == alone


def test_a_process_that_is_killed_while_it_reads(run: RunFiles, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setattr(parse_beside, "WORTH_IT", 0)
    monkeypatch.setattr(parse_beside, "parse_stretch", die)
    with pytest.raises(UsageError, match="a process that read the log was killed"):
        verify(run)


def die(*arguments: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
