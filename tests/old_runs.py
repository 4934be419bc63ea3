"""Copies of the run folders in `golden/`, to be read and resumed, and what is to be found in them."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import CommandLine
from log_checks import Event, check_log, counted

from mprun.cli.explain import explain_run
from mprun.engines.results.notes import STEPS
from mprun.plan.digests import content_digest, step_digest
from mprun.resuming.earlier import earlier_run
from mprun.resuming.params import Options, params_as_before

VERSIONS = sorted((Path(__file__).parent / "golden").glob("*/mprun-*"))
RUNS_DIR = "records"
SECRET = {"MPRUN_PARAM_TOKEN": "open-sesame-0001"}
RESULTS = ("process.result", "task.result")


def expected_in(version: Path) -> dict[str, Any]:
    """What is to be found in each run of `version`, in the order of the runs."""
    return yaml.safe_load((version / "expected.yaml").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


@dataclass(frozen=True)
class OldRun:
    """A run in a copy of its project. Its paths are below /proc/self/cwd: the project has to be the current folder."""

    version: Path
    run_id: str
    expected: dict[str, Any]
    mprun: CommandLine

    @property
    def log(self) -> Path:
        return self.mprun.folder / RUNS_DIR / "runs" / self.run_id / "events.jsonl"

    @property
    def log_format(self) -> str:
        return self.version.parent.name

    def events(self) -> list[Event]:
        return [json.loads(line) for line in self.log.read_bytes().splitlines()]

    def explanation(self, capsys: pytest.CaptureFixture[str]) -> str:
        """What `mprun resume RUN --explain` prints."""
        earlier = earlier_run(self.run_id, RUNS_DIR)
        inputs = params_as_before(earlier, Options((), "", SECRET))
        explain_run(earlier.workflow, inputs, earlier, only=earlier.only, first=earlier.first)
        return capsys.readouterr().out

    def __call__(self, command: str, *arguments: str) -> tuple[int, str, str]:
        ran = self.mprun(command, *arguments, "--runs-dir", RUNS_DIR, env=SECRET)
        return ran.code, ran.stdout, ran.stderr


def copy_of(version: Path, name: str, folder: Path) -> OldRun:
    """The run `name` of `version`, in a copy of its project at `folder`, which may be changed."""
    shutil.copytree(version, folder)
    for steps in folder.glob(f"{RUNS_DIR}/runs/*/digests/{STEPS}"):
        steps.write_text("".join(map(_of_this_python, steps.read_text().splitlines())))
    return OldRun(version, dict(runs_of(version))[name], expected_in(version)[name], _NewLogsOnly(folder))


def _of_this_python(line: str) -> str:
    """A line of the notes of a run, as if this Python had made the run: another one's work is never reused."""
    told = json.loads(line)
    python = content_digest("{}.{}".format(*sys.version_info)).hex()
    if told["parts"]["python"] == python:
        return line + "\n"
    parts = {**told["parts"], "python": python}
    return json.dumps({**told, "digest": step_digest(parts), "parts": parts}) + "\n"


class _NewLogsOnly(CommandLine):
    """Checks the logs of the runs that it makes; the old ones are checked by what they are."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._old = set(self._paths())

    def logs(self) -> list[list[Event]]:
        return [check_log(path) for path in self._paths() if path not in self._old]

    def _paths(self) -> list[Path]:
        return sorted(self.folder.glob(f"{RUNS_DIR}/runs/*/events.jsonl"))


def run_ids(version: Path) -> list[str]:
    return sorted(path.parent.name for path in version.glob(f"{RUNS_DIR}/runs/*/events.jsonl"))


def runs_of(version: Path) -> Iterator[tuple[str, str]]:
    """(name, id) of each run."""
    return zip(expected_in(version), run_ids(version), strict=True)


def returned_in(log: list[Event]) -> set[tuple[str, int]]:
    """(step, task) of each that has returned."""
    alone = {(e["step"], e.get("task", 0)) for e in log if e["event"] in RESULTS and e["outcome"] == "returned"}
    steps = {event["step"] for event in log if event["event"] == "tasks.counted"}
    return alone | {(step, task) for step in steps for task in counted(log, step)}


def reused_in(log: list[Event], run_id: str) -> set[tuple[str, int]]:
    """(step, task) of each that comes from the run `run_id`. Each has one result, as the check of the log sees to."""
    assert {event["reused"] for event in log if "reused" in event} <= {run_id}
    return returned_in([event for event in log if "reused" in event])


def values(log: list[Event], step: str) -> Iterator[tuple[int, Any]]:
    """(task, result) of the tasks of `step` that returned."""
    for event in log:
        if event["event"] in RESULTS and event["step"] == step and event["outcome"] == "returned":
            yield event.get("task", 0), event["result"]
