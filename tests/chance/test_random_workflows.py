"""Random workflows: a right one has the same plan when it is written anew, and no change to one gives a traceback."""

from __future__ import annotations

import functools
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel
from random_workflows import FILES, random_workflow

from chance.test_fuzz_load import CHANGES
from mprun.errors.diagnostics import render_all
from mprun.errors.exceptions import UsageError
from mprun.format.workflow import Workflow
from mprun.language.references import Reference, Template, escaped
from mprun.loading.load import Loaded, load
from mprun.loading.params.inputs import param_inputs
from mprun.plan.plan import Plan, plan_json
from mprun.planning.build.plan import build
from mprun.planning.eject.script import python_script
from mprun.planning.show.graph import FORMATS
from mprun.planning.show.table import describe

GIVEN = param_inputs(["token=hush-hush"], "", {})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "jobs.py").touch()
    return tmp_path / "w.yaml"


@functools.cache
def good_text(seed: int) -> bytes:
    """To write one takes as long as to load it ten times."""
    return written(random_workflow(seed)).encode()


def written(data: Any) -> str:
    return yaml.safe_dump(data, allow_unicode=True, sort_keys=False)


def plan_of(loaded: Loaded) -> Plan:
    plan = build(loaded.files)
    plan_json(plan)
    describe(plan)
    for draw in FORMATS.values():
        draw(plan)
    return plan


def as_data(workflow: Workflow) -> dict[str, Any]:
    """What could have been written for `workflow`: its values in the place of parameters, references as text."""
    data: dict[str, Any] = _plain(workflow)
    return {**data, "params": {"token": {"type": "str", "secret": True, "required": False}}}


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return {key: _plain(item) for key, item in value if key in value.model_fields_set}
    if isinstance(value, str):
        return escaped(value)
    if isinstance(value, Reference | Template):
        return str(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return {key: _plain(item) for key, item in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize("seed", range(10))
def test_a_right_workflow_has_the_same_plan_when_it_is_written_anew(seed: int, file: Path) -> None:
    for number in range(20):
        data = random_workflow(seed * 1000 + number)
        file.write_text(written(data))
        loaded = load(str(file), GIVEN)
        assert render_all(loaded.diagnostics) == render_all(()), written(data)
        plan = plan_of(loaded)
        assert plan_of(load(str(file), GIVEN)) == plan
        assert loaded.workflow is not None
        anew = written(as_data(loaded.workflow))
        file.write_text(anew)
        again = load(str(file), GIVEN)
        assert again.diagnostics == (), anew
        same = replace(plan_of(again), workflow_sha256=plan.workflow_sha256, params=plan.params)
        assert same == plan, anew


def test_a_right_workflow_has_a_program_unless_it_is_told_why_not(file: Path) -> None:
    """Most of these have something that a plain program can't do; each refusal names a step, or what is shared."""
    programs = 0
    for number in range(200):
        file.write_text(written(random_workflow(number)))
        try:
            text = python_script(build(load(str(file), GIVEN).files))
        except UsageError as refused:
            _, *reasons = str(refused).splitlines()
            assert reasons
            assert [
                each for each in reasons if not each.startswith(("  the step `", "  the shared `", "  the `env` "))
            ] == []
        else:
            compile(text, "program.py", "exec")
            programs += 1
    assert programs


@pytest.mark.parametrize("seed", range(20))
def test_a_changed_workflow_gives_a_plan_or_diagnostics(seed: int, file: Path) -> None:
    chance = random.Random(seed)
    refused = 0
    for number in range(340):
        data = good = good_text(seed * 100 + number % 25)
        for _ in range(chance.randint(1, 3)):
            data = chance.choice(CHANGES)(chance, data) or good
        file.write_bytes(data)
        loaded = load(str(file), GIVEN)
        assert loaded.diagnostics or loaded.workflow, data
        render_all(loaded.diagnostics).encode()
        if loaded.workflow is not None:
            plan_of(loaded)
        refused += bool(loaded.diagnostics)
    assert 100 < refused < 340
