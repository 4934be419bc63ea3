"""A log that can't be written, and when it is written."""

from __future__ import annotations

import json
import os
import resource
import signal
from pathlib import Path
from typing import Any

from plan_builders import pool

from engine.harness import HERE, read_log, wait_for, zoo_plan
from engine.test_stopping import Running, events_so_far, start  # noqa: F401 -- a fixture
from mprun.errors.exceptions import ExitCode
from mprun.log.verifying.verify import verify
from mprun.running.run import run_plan
from mprun.runs.find import RunFiles


def test_a_full_disk(tmp_path: Path, engine: str, warm: None) -> None:
    """The run goes on, the reason is told once, the exit code is 1."""
    reasons: list[str] = []
    plan = zoo_plan(pool("pool", "zoo:square", 1000, engine=engine, folder=HERE), start_method="fork")
    end = run_plan(plan, "by-hand", os.open("/dev/full", os.O_WRONLY), [], reasons.append)
    assert reasons == [end.log_error] == ["No space left on device"]
    assert (end.exit_code, end.outcome) == (ExitCode.FAILED, "failed")


def test_a_file_that_may_not_grow(start: Any, start_method: str, engine: str, tmp_path: Path) -> None:  # noqa: F811
    """What was written before the limit is whole lines without a gap, but for a torn last one."""
    running = start(
        pool("pool", "zoo:square", 5000, engine=engine, folder=HERE),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000)),
    )
    assert running.end() == (1, "log error: File too large\n")
    whole = running.log.read_bytes().split(b"\n")[:-1]
    assert [json.loads(line)["seq"] for line in whole] == list(range(len(whole)))
    verdict = verify(RunFiles("by-hand", str(running.log)))
    assert verdict.word == "INCOMPLETE"
    assert 0 < verdict.good_lines < verdict.lines == len(whole)


def test_a_run_that_is_killed(start: Any, engine: str, tmp_path: Path) -> None:  # noqa: F811
    """Its log is good up to the last seal. While it is at work, that is what is said of it."""
    naps = [0.0] * 3000 + [0.02] * 100_000
    running = start(pool("pool", "zoo:nap", naps, engine=engine, chunksize=500, folder=HERE))
    wait_for(lambda: len(events_so_far(running.log)) > 2500)
    at_work = verify(RunFiles("by-hand", str(running.log)))
    wait_for(lambda: stopped_between_seals(running))
    running.signal(signal.SIGKILL)
    running.end()
    killed = verify(RunFiles("by-hand", str(running.log)))
    assert at_work.word == killed.word == "INCOMPLETE"
    assert any("still at work" in finding.what for finding in at_work.findings)
    assert any("ended before it could finish" in finding.what for finding in killed.findings)
    assert killed.lines > killed.good_lines >= 1000


def stopped_between_seals(running: Running) -> bool:
    """Stop it where its last line is sealed by none yet; it goes on where it is a seal."""
    running.signal(signal.SIGSTOP)
    between = events_so_far(running.log)[-1]["event"] != "log.sealed"
    if not between:
        running.signal(signal.SIGCONT)
    return between


def test_results_are_written_while_others_run(start: Any, engine: str, tmp_path: Path) -> None:  # noqa: F811
    """A slow task doesn't keep back the results of those before it."""
    running = start(
        pool("pool", "zoo:nap", [0.01, 0.01, 1000], engine=engine, processes=1, chunksize=3, folder=HERE),
        grace_period=0.1,
    )
    wait_for(lambda: sum(event["event"] == "task.result" for event in events_so_far(running.log)) == 2)
    running.signal(2)
    assert running.end() == (130, "")
    read_log(running.log)
