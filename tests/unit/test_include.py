"""A workflow of several files: their steps join, and each keeps what it says about its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from mprun.errors.exceptions import WorkflowError
from mprun.loading.load import load
from mprun.loading.params.inputs import param_inputs
from mprun.loading.prepare import prepare
from mprun.plan.plan import Limits, Plan, PoolStep, ProcessStep

SUB = """\
params: {size: {type: int}, mode: fast}
targets: {count: counting:count}
defaults: {timeout: 5}
env: {A: sub}
working_dir: work
pythonpath: lib
processes:
  make: {target: count, args: ["${params.size}", "${params.mode}"], save: made.json}
pools:
  read: {target: count, map: {glob: "*.txt"}, needs: [make, first]}
"""
MAIN = """\
name: whole
params: {n: 3}
env: {A: main, B: main}
include: {file: sub/part.yaml, params: {size: "${params.n}"}}
processes:
  first: {target: main:first}
  last: {target: main:last, args: ["${results.read}"]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("sub/work", "sub/lib"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "sub/part.yaml").write_text(SUB)
    (tmp_path / "sub/lib/counting.py").write_text("def count(*args): return args\n")
    (tmp_path / "main.py").write_text("def first(*args): pass\ndef last(*args): pass\n")
    return tmp_path


def plan_of(folder: Path, text: str = MAIN, *assignments: str) -> Plan:
    (folder / "main.yaml").write_text(text)
    return prepare(str(folder / "main.yaml"), param_inputs(assignments, "", {}), check_targets=False)


def told(folder: Path, text: str, *assignments: str) -> list[str]:
    with pytest.raises(WorkflowError) as refused:
        plan_of(folder, text, *assignments)
    return [diagnostic.message for diagnostic in refused.value.diagnostics]


def test_steps_join_those_of_included_files_first(folder: Path) -> None:
    plan = plan_of(folder)
    assert [step.name for step in plan.steps] == ["make", "read", "first", "last"]
    assert plan.step("read").needs == {"make": "succeeded", "first": "succeeded"}
    assert plan.step("last").needs == {"read": "succeeded"}
    assert (plan.name, plan.workflow) == ("whole", str(folder / "main.yaml"))


def test_what_a_file_says_holds_for_its_own_steps(folder: Path) -> None:
    plan = plan_of(folder)
    make, read, first = plan.step("make"), plan.step("read"), plan.step("first")
    assert isinstance(make, ProcessStep)
    assert isinstance(read, PoolStep)
    assert make.args == (3, "fast")
    assert (make.target.text, make.save) == ("counting:count", str(folder / "sub/made.json"))
    assert (make.limits, first.limits) == (Limits(timeout=5.0), Limits())
    assert (make.surroundings.env, first.surroundings.env) == ({"A": "sub"}, {"A": "main", "B": "main"})
    assert make.surroundings.working_dir == str(folder / "sub/work")
    assert make.surroundings.pythonpath == (str(folder / "sub"), str(folder / "sub/lib"))
    assert first.surroundings.pythonpath == (str(folder),)


def test_parameters_go_through(folder: Path) -> None:
    make = plan_of(folder, MAIN, "n=7").step("make")
    assert isinstance(make, ProcessStep)
    assert make.args == (7, "fast")


def test_the_plan_knows_every_file_by_its_digest(folder: Path) -> None:
    before = plan_of(folder)
    assert list(before.included) == [str(folder / "sub/part.yaml")]
    (folder / "sub/part.yaml").write_text(SUB + "# changed\n")
    after = plan_of(folder)
    assert after.workflow_sha256 == before.workflow_sha256
    assert after.included != before.included


def test_a_file_of_nothing_but_includes(folder: Path) -> None:
    (folder / "a.yaml").write_text("processes: {a: {target: 'main:first'}}")
    (folder / "b.yaml").write_text("include: [a.yaml]\nprocesses: {b: {target: 'main:first'}}")
    assert [step.name for step in plan_of(folder, "include: [b.yaml, ./a.yaml]").steps] == ["a", "b"]


def test_a_secret_is_given_to_the_run_for_all_files(folder: Path) -> None:
    (folder / "a.yaml").write_text(
        "params: {token: {type: str, secret: true}}\nprocesses: {a: {target: 'main:first', args: ['${params.token}']}}"
    )
    (folder / "main.yaml").write_text("params: {token: {type: str, secret: true}}\ninclude: a.yaml")
    loaded = load(str(folder / "main.yaml"), param_inputs(["token=hush-hush"], "", {}))
    assert (loaded.diagnostics, loaded.secrets) == ((), {"token": "hush-hush"})


def test_files_one_inside_another_have_a_limit(folder: Path) -> None:
    for number in range(12):
        (folder / f"f{number}.yaml").write_text(f"include: f{number + 1}.yaml")
    (folder / "f12.yaml").write_text("processes: {a: {target: 'main:first'}}")
    assert told(folder, "include: f0.yaml") == ["files include one another at most 10 deep"]


def test_many_files_have_a_limit(folder: Path) -> None:
    for number in range(101):
        (folder / f"f{number}.yaml").write_text(f"processes: {{s{number}: {{target: 'main:first'}}}}")
    files = ", ".join(f"f{number}.yaml" for number in range(101))
    assert told(folder, f"include: [{files}]") == ["a workflow has at most 100 files"]
