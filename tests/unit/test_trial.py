"""Where the files of a trial go, who reads them there, and what can only be warned of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from plan_builders import plan_of, pool, process

from mprun.language.references import parse
from mprun.plan.plan import Plan, PoolStep, ProcessStep, Step
from mprun.plan.trial import Trial, diverted, diverts, is_trial, steps_before
from mprun.planning.trial import trial_warnings
from mprun.sources.table import CsvSource, GlobSource, JsonlSource, LinesSource, PickedSource, SliceSource, Source

TRIAL = Trial("/flows/.mprun/runs/1/trial", "/flows", "/flows/.mprun/runs/1")

PATHS = [
    ("/flows/out.json", "/flows/.mprun/runs/1/trial/out.json"),
    ("/flows/a/b.csv", "/flows/.mprun/runs/1/trial/a/b.csv"),
    ("/flowsy/out.json", "/flows/.mprun/runs/1/trial-outside/flowsy/out.json"),
    ("/data/out.json", "/flows/.mprun/runs/1/trial-outside/data/out.json"),
]


@pytest.mark.parametrize(("real", "path"), PATHS)
def test_each_file_has_its_own_place(real: str, path: str) -> None:
    assert (TRIAL.path(real), TRIAL.real(path)) == (path, real)


def test_a_file_of_the_runs_own_folder_stays() -> None:
    assert TRIAL.path("/flows/.mprun/runs/1/out.json") == "/flows/.mprun/runs/1/out.json"
    assert TRIAL.real("/flows/.mprun/runs/1/out.json") == ""


def test_a_workflow_at_the_root() -> None:
    assert Trial("/tmp/t", "/").path("/out.json") == "/tmp/t/out.json"


SAVES = replace(pool("saves", "jobs:f", 3), save="/flows/out.jsonl")


@pytest.mark.parametrize(
    ("only", "first", "is_one"), [((), 0, False), (("a",), 0, False), (("a@b",), 0, True), ((), 1, True)]
)
def test_what_is_a_trial(only: tuple[str, ...], first: int, is_one: bool) -> None:
    plan = replace(plan_of(SAVES), only=only, first=first)
    assert (is_trial(plan), diverts(plan)) == (is_one, is_one)
    assert not diverts(replace(plan_of(pool("no-file", "jobs:f", 3)), only=only, first=first))


def test_which_steps_come_before() -> None:
    """Those that are needed, and what these need; for one around the run, all others."""
    around = replace(process("around", "jobs:f"), when="exit")
    plan = plan_of(SAVES, process("b", "jobs:f", needs=("saves",)), process("c", "jobs:f", needs=("b",)), around)
    names = {step.name: [each.name for each in steps_before(plan, step)] for step in plan.steps}
    assert names == {"saves": [], "b": ["saves"], "c": ["saves", "b"], "around": ["saves", "b", "c"]}


HERE = TRIAL.path("/flows/out.jsonl")
SOURCES: list[tuple[Source, Source]] = [
    (LinesSource("/flows/out.jsonl"), LinesSource(HERE)),
    (JsonlSource("/flows/out.jsonl", "/flows"), JsonlSource(HERE, "/flows")),
    (CsvSource("/flows/out.jsonl", "/flows", ";"), CsvSource(HERE, "/flows", ";")),
    (SliceSource(LinesSource("/flows/out.jsonl"), 1, 2), SliceSource(LinesSource(HERE), 1, 2)),
    (
        PickedSource(LinesSource("/flows/out.jsonl"), (1,), ("b",)),
        PickedSource(LinesSource(HERE), (1,), ("b",)),
    ),
    (LinesSource("/flows/other"), LinesSource("/flows/other")),
]


def with_source(step: Any, source: Source) -> Step:
    return replace(step, cells=source) if isinstance(step, ProcessStep) else replace(step, source=source)  # type: ignore[no-any-return]


@pytest.mark.parametrize("kind", [process, pool])
@pytest.mark.parametrize(("source", "expected"), SOURCES)
def test_a_later_step_reads_what_the_trial_wrote(kind: Any, source: Source, expected: Source) -> None:
    """One that doesn't come later reads the real file, as it does in a full run that finds it there."""
    for needs, read in ((("saves",), expected), ((), source)):
        reads = with_source(kind("reads", "jobs:f", needs=needs), source)
        saves, found = diverted(plan_of(SAVES, reads), TRIAL).steps
        assert saves.save == HERE
        assert (found.source if isinstance(found, PoolStep) else getattr(found, "cells", None)) == read


def test_a_pattern_sees_the_trials_files_over_the_real_ones(tmp_path: Path) -> None:
    """Each in the place of its name, whose order holds; one that is new is there too."""
    base, folder = tmp_path / "fl[o]w", tmp_path / "trial"
    for path in (base / "out/a.txt", base / "out/b.txt", base / "out/c.md", folder / "out/a.txt", folder / "out/d.txt"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    trial = Trial(str(folder), str(base))
    reads = pool("reads", "jobs:f", needs=("saves",))
    for pattern, there in (("out/*.txt", ["out/b.txt"]), ("**/*.txt", ["out/b.txt"]), ("out/[bd].txt", ["out/b.txt"])):
        plan = plan_of(SAVES, with_source(reads, GlobSource(f"{tmp_path}/fl[[]o]w/{pattern}", str(base))))
        (_, found) = diverted(plan, trial).steps
        assert isinstance(found, PoolStep)
        a = [f"{folder}/out/a.txt"] if "[" not in pattern else []
        assert list(found.source.items()) == [*a, *there, f"{folder}/out/d.txt"]


def warned(*steps: Step) -> list[str]:
    plan: Plan = replace(plan_of(SAVES, *steps), first=2)
    return list(trial_warnings(plan))


WARNED: list[tuple[Step, str]] = [
    (process("reads", "jobs:f", "out.jsonl", needs=("saves",)), "args"),
    (process("reads", "jobs:f", ["/flows/out.jsonl"], needs=("saves",)), "args"),
    (process("reads", "jobs:f", path={"in": "./out.jsonl"}, needs=("saves",)), "kwargs"),
    (replace(process("reads", "jobs:f", needs=("saves",)), command=("cat", "out.jsonl")), "command"),
    (pool("reads", "jobs:f", ["out.jsonl"], needs=("saves",)), "map"),
    (pool("reads", "jobs:f", 3, initargs=("out.jsonl",), needs=("saves",)), "initargs"),
]


@pytest.mark.parametrize(("step", "key"), WARNED)
def test_a_literal_that_names_a_real_file(step: Step, key: str) -> None:
    (warning,) = warned(step)
    assert warning.startswith("`reads` names `")
    assert f"in its `{key}`, and gets the real file" in warning


def test_what_needs_no_warning() -> None:
    assert warned(process("before", "jobs:f", "out.jsonl"), process("no", "jobs:f", "out.json", needs=("saves",))) == []
    assert warned(process("other", "jobs:f", 5, None, parse("${results.saves}"), needs=("saves",))) == []
    full = plan_of(SAVES, WARNED[0][0])
    assert list(trial_warnings(full)) == []
