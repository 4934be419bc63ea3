"""A trial (`--first`, `--only STEP@CELL`) leaves the real files alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import CommandLine

JOBS = """
    def double(x):
        return 2 * x

    def size(line):
        return len(str(line))
"""
FLOW = """
    processes:
      cells: {target: "jobs:double", foreach: [1, 2, 3], args: ["${item}"], save: out/cells.json}
    pools:
      lines: {processes: 1, target: "jobs:double", map: [10, 200, 3000], save: out/lines.jsonl}
      sizes: {processes: 1, target: "jobs:size", map: {jsonl: out/lines.jsonl}, needs: lines, save: out/sizes.json}
"""


@pytest.fixture
def flow(mprun: CommandLine) -> CommandLine:
    """A workflow that has been run whole."""
    mprun.write("jobs.py", JOBS)
    mprun.write("flow.yaml", FLOW)
    (mprun.folder / "out").mkdir()
    assert mprun("-q", "flow.yaml").code == 0
    return mprun


def contents(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def runs(flow: CommandLine) -> list[Path]:
    return sorted((flow.folder / ".mprun" / "runs").glob("2*"))


def test_its_files_are_in_the_runs_folder(flow: CommandLine) -> None:
    """A later step has read them there; the screen says where they are, also with `-q`."""
    before = contents(flow.folder / "out")
    ran = flow("run", "flow.yaml", "--first", "2", "-q")
    trial = runs(flow)[-1] / "trial"
    assert (ran.code, ran.stderr) == (0, f"trial: its files are in {trial}; the real ones are as before\n")
    assert contents(flow.folder / "out") == before
    assert contents(trial) == {
        "out/cells.json": "[\n2,\n4\n]\n",
        "out/lines.jsonl": "20\n400\n",
        "out/sizes.json": "[\n2,\n3\n]\n",
    }
    saved = [event for event in flow.log() if event["event"] == "results.saved" and event["step"] == "lines"]
    assert [(event["path"], event["in_place_of"]) for event in saved] == [
        (str(trial / "out/lines.jsonl"), str(flow.folder / "out/lines.jsonl"))
    ]
    assert f"trial     its files are in {trial}" in flow("show", "latest").stdout


def test_one_cell(flow: CommandLine) -> None:
    before = contents(flow.folder / "out")
    assert flow("run", "flow.yaml", "--only", "cells@2").code == 0
    assert contents(flow.folder / "out") == before
    assert contents(runs(flow)[-1] / "trial") == {"out/cells.json": "[\n4\n]\n"}


def test_a_whole_step_is_no_trial(flow: CommandLine) -> None:
    (flow.folder / "out" / "cells.json").unlink()
    assert flow("run", "flow.yaml", "--only", "cells").stderr.count("trial") == 0
    assert (flow.folder / "out" / "cells.json").exists()


@pytest.mark.parametrize(("log", "where"), [("log.jsonl", "log.jsonl.trial"), ("-", "mprun-trial-*")])
def test_a_run_without_a_folder(flow: CommandLine, log: str, where: str) -> None:
    """Its files are beside its log, or in the current folder."""
    before = contents(flow.folder / "out")
    assert flow("run", "flow.yaml", "--first", "1", "--log", log).code == 0
    (trial,) = flow.folder.glob(where)
    assert contents(flow.folder / "out") == before
    assert json.loads((trial / "out/sizes.json").read_text()) == [2]


def test_a_full_run_reuses_nothing_of_it(flow: CommandLine) -> None:
    """Another trial does; and of a trial without files a full run does, too."""
    assert flow("run", "flow.yaml", "--first", "2", "-q").code == 0
    explained = flow("run", "flow.yaml", "--reuse", "latest", "--explain").stdout
    assert explained.splitlines() == [
        f"{step}: run, as that run was a trial, and its files are not where this run's will be"
        for step in ("cells", "lines", "sizes")
    ]
    trial = runs(flow)[-1].name
    ran = flow("run", "flow.yaml", "--reuse", trial, "-q")
    warning = f"warning: nothing of {trial} is reused, as it was a trial: its files are in its own folder\n"
    assert (ran.code, ran.stderr) == (0, warning)
    assert not any("reused" in event for event in flow.log())
    assert flow("run", "flow.yaml", "--reuse", trial, "--first", "3", "-q").code == 0
    assert sum("reused" in event for event in flow.log() if event.get("step") == "lines") == 2


def test_a_trial_without_files_is_reused(mprun: CommandLine) -> None:
    mprun.write("w.yaml", "pools: {p: {processes: 1, target: 'builtins:abs', map: [1, 2, 3]}}")
    assert "trial" not in mprun("run", "w.yaml", "--first", "2").stderr
    assert mprun("run", "w.yaml", "--reuse", "latest", "-q").code == 0
    assert sum("reused" in event for event in mprun.log()) == 2


def test_a_literal_path_is_warned_of(flow: CommandLine) -> None:
    flow.write("flow.yaml", f"{FLOW}\n    on_exit: {{show: {{command: [cat, out/sizes.json]}}}}\n")
    ran = flow("run", "flow.yaml", "--first", "1", "-q")
    assert (
        "warning: `show` names `out/sizes.json` in its `command`, and gets the real file: "
        "what `sizes` writes there goes into the folder of this trial\n"
    ) in ran.stderr
    assert "warning" not in flow("run", "flow.yaml", "-q").stderr


def test_in_one_process(flow: CommandLine) -> None:
    before = contents(flow.folder / "out")
    assert flow("run", "flow.yaml", "--first", "1", "--inline").code == 0
    assert contents(flow.folder / "out") == before
    assert json.loads((runs(flow)[-1] / "trial/out/sizes.json").read_text()) == [2]


def test_a_file_in_the_runs_own_folder_stays_there(mprun: CommandLine) -> None:
    mprun.write("w.yaml", "pools: {p: {processes: 1, target: 'builtins:abs', map: [1, 2], save: '${run.dir}/p.json'}}")
    assert mprun("run", "w.yaml", "--first", "1", "-q").code == 0
    assert json.loads((runs(mprun)[-1] / "p.json").read_text()) == [1]
