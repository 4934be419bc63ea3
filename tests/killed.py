"""A run whose parent is killed at random moments, and which then goes on.

In the end each task has its result once, and the results are those of an unbroken run. The short form is in
`test_resume.py`, the long one in `benchmarks/chaos.py`.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import textwrap
import time
from pathlib import Path

from conftest import COMMAND, environment
from log_checks import check_log, results

from mprun.log.verifying.verify import verify
from mprun.runs.find import find_run

TASKS = 2_000
FLOW = f"""
    pools:
      many: {{processes: 2, target: many:double, imap: {{range: {TASKS}}}}}
      again: {{processes: 2, target: many:double, imap: "${{results.many}}"}}
      sum: {{processes: 1, target: many:add, apply: {{args: ["${{results.again}}"]}}}}
    """
JOBS = """
    def double(n):
        return n + n


    def add(numbers):
        return sum(numbers)
    """
LONGEST = 720_000  # bytes of the log of a whole run, about


def survive_kills(folder: Path, chance: random.Random, kills: int) -> int:
    """Kill a run and those that go on from it, `kills` in all; how many calls the last one has taken over."""
    (folder / "many.py").write_text(textwrap.dedent(JOBS))
    (folder / "flow.yaml").write_text(textwrap.dedent(FLOW))
    words = ["-q", "flow.yaml"]
    for _ in range(kills):
        _kill_at(folder, chance.randrange(1, LONGEST), words)
        _check_cut(folder)
        words = ["resume", "latest", "-q"]
    done = _returned_in(_logs(folder)[-1])
    ended = subprocess.run([*COMMAND, *words], cwd=folder, env=environment(), capture_output=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, b"")
    events = check_log(_logs(folder)[-1])
    assert _values(events, "many") == [2 * n for n in range(TASKS)]
    assert _values(events, "again") == [4 * n for n in range(TASKS)]
    assert _values(events, "sum") == [2 * TASKS * (TASKS - 1)]
    reused = sum("reused" in event for event in events)
    assert reused >= done
    return reused


def _kill_at(folder: Path, size: int, words: list[str]) -> None:
    """Run the command and kill it when its log has `size` bytes; where that never has as many, it ends by itself."""
    before = len(_logs(folder))
    run = subprocess.Popen([*COMMAND, *words], cwd=folder, env=environment(), stdout=subprocess.DEVNULL)
    while run.poll() is None:
        logs = _logs(folder)
        if len(logs) > before and logs[-1].stat().st_size >= size:
            run.send_signal(signal.SIGKILL)
            run.wait()
        time.sleep(0.001)  # it has the same two CPUs


def _check_cut(folder: Path) -> None:
    """The log of the last run reads, as far as it goes."""
    assert verify(find_run(str(_logs(folder)[-1]), "")).word in ("INCOMPLETE", "VERIFIED")


def _logs(folder: Path) -> list[Path]:
    return sorted(folder.glob(".mprun/runs/*/events.jsonl"))


def _values(events: list[dict[str, object]], step: str) -> list[object]:
    """The results of a step by task, of which none may be there twice."""
    found = results(events, step)
    tasks = [event["task"] for event in found]
    assert sorted(tasks) == list(range(len(tasks)))
    return [event["result"] for event in sorted(found, key=lambda event: event["task"])]


def _returned_in(log: Path) -> int:
    """How many calls had returned when the log ended."""
    lines = log.read_bytes().split(b"\n")[:-1]
    return sum(json.loads(line).get("outcome") == "returned" for line in lines)
