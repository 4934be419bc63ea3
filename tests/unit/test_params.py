"""Parameters: what is declared, what is given, and what each gives to the plan."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mprun.errors.diagnostics import render_all
from mprun.errors.exceptions import UsageError, WorkflowError
from mprun.language.references import Reference, Template
from mprun.loading.load import load
from mprun.loading.params.inputs import param_inputs
from mprun.loading.prepare import prepare
from mprun.plan.plan import Plan, plan_json

STEP = "processes: {{a: {{target: 'jobs:a', args: [{}]}}}}\n"


def plan_of(folder: Path, text: str, *assignments: str, file: str = "", environ: dict[str, str] | None = None) -> Plan:
    (folder / "w.yaml").write_text(text)
    given = param_inputs(assignments, file, environ or {})
    return prepare(str(folder / "w.yaml"), given, check_targets=False)


def told(
    folder: Path, text: str, *assignments: str, file: str = "", environ: dict[str, str] | None = None
) -> list[str]:
    """The messages of all that is wrong."""
    with pytest.raises(WorkflowError) as refused:
        plan_of(folder, text, *assignments, file=file, environ=environ)
    return [diagnostic.message for diagnostic in refused.value.diagnostics]


GIVEN: list[tuple[str, str, Any]] = [
    ("5", "", 5),
    ("5", "7", 7),
    ("1.5", "2", 2.0),
    ("true", "false", False),
    ("text", "", "text"),
    ("text", "5", "5"),
    ("[1, 2]", "3,4", [3, 4]),
    ("[a]", "b, c", ["b", "c"]),
    ("[a]", " ", []),
    ("{type: int}", "-3", -3),
    ("{type: float}", "1e3", 1000.0),
    ("{type: float, default: 2}", "", 2.0),
    ("{type: bool}", "True", True),
    ("{type: str}", "a=b", "a=b"),
    ("{type: str}", "${item}", "${item}"),
    ("{type: date}", "2026-01-31", "2026-01-31"),
    ("{type: duration}", "1m30s", 90.0),
    ("{type: duration}", "5", 5.0),
    ("{type: duration, default: 2}", "", 2.0),
    ("{type: list, items: int}", "1,2", [1, 2]),
    ("{type: enum, choices: [fast, slow]}", "slow", "slow"),
    ("{choices: [1, 2]}", "2", 2),
    ("{choices: [true, 1]}", "1", 1),
    ("{choices: [1, '1']}", "1", "1"),
    ("{choices: [1, '1'], default: '1'}", "", "1"),
    ("{type: int, required: false}", "", None),
    ("{type: path, default: data}", "", "data"),
    ("{type: str, pattern: '[a-z]+'}", "abc", "abc"),
    ("{type: int, minimum: 1, maximum: 3}", "3", 3),
    ("{type: duration, choices: [30s, 1m]}", "60", 60.0),
    ("{type: duration, choices: [30s, 1m], default: 30}", "", 30.0),
    ("{type: path, choices: [/a, b]}", "/a", "/a"),
    ("{type: float, choices: [1, 2.5]}", "1", 1.0),
    ("{type: list, choices: [a, b, c]}", "c,a", ["c", "a"]),
    ("{type: list, choices: [1, 2], default: [1]}", "2,2", [2, 2]),
]


@pytest.mark.parametrize(("declared", "given", "value"), GIVEN)
def test_the_value_of_a_parameter(declared: str, given: str, value: Any, tmp_path: Path) -> None:
    text = f"params: {{x: {declared}}}\n" + STEP.format("'${params.x}'")
    (step,) = plan_of(tmp_path, text, *([f"x={given}"] if given else [])).steps
    assert (step.args[0], type(step.args[0])) == (value, type(value))


WRONG: list[tuple[str, str, str]] = [
    ("{type: int}", "five", "takes a whole number, not the text `five`"),
    ("{type: int}", "1.5", "takes a whole number, not the text `1.5`"),
    ("{type: int}", "", "takes a whole number, not the text ``"),
    ("{type: float}", "x", "takes a number, not the text `x`"),
    ("{type: float}", "1_000", "takes a number, not the text `1_000`"),
    ("{type: bool}", "yes", "takes `true` or `false`, not the text `yes`"),
    ("{type: date}", "31.1.2026", "takes a date such as `2026-01-31`, not the text `31.1.2026`"),
    ("{type: path}", "", "takes a path, not an empty text"),
    ("{type: list, items: int}", "1,b", "takes a whole number, not the text `b`"),
    ("{choices: [fast, slow]}", "quick", "takes `fast` or `slow`, not the text `quick`"),
    ("{type: int, minimum: 1}", "0", "is at least 1, not 0"),
    ("{type: duration, maximum: 1m}", "61", "is at most 1m, not 61.0"),
    ("{type: date, minimum: '2026-01-01'}", "2025-12-31", "is at least 2026-01-01, not 2025-12-31"),
    ("{type: str, pattern: '[a-z]+'}", "A", "takes a text that matches `[a-z]+`, not the text `A`"),
    ("{type: float, minimum: 0}", "nan", "is at least 0, not nan"),
    ("{type: float, maximum: 0}", "nan", "is at most 0, not nan"),
    ("{type: path, choices: [a, b]}", "c", "takes `a` or `b`, not the text `c`"),
    ("{type: list, choices: [a, b]}", "a,c", "takes `a` or `b`, not the text `c`"),
    ("{secret: true}", "hush\udcff", "is a secret, and not UTF-8 text: it could not be masked"),
    ("{secret: true}", "abc", "is a secret, and shorter than 4 characters: it could not be masked"),
]


@pytest.mark.parametrize(("declared", "given", "message"), WRONG)
def test_a_value_that_a_parameter_does_not_take(declared: str, given: str, message: str, tmp_path: Path) -> None:
    text = f"params: {{x: {declared}}}\n" + STEP.format("'${params.x}'")
    assert told(tmp_path, text, f"x={given}") == [f"the parameter `x` {message}"]


def test_the_weightiest_wins(tmp_path: Path) -> None:
    text = "params: {x: 1, y: 1, z: 1, top-n: 1}\n" + STEP.format(
        "'${params.x}', '${params.y}', '${params.z}', '${params.top-n}'"
    )
    file = tmp_path / "params.yaml"
    file.write_text("x: 2\ny: 2\n")
    environ = {"MPRUN_PARAM_X": "3", "MPRUN_PARAM_Y": "3", "MPRUN_PARAM_TOP_N": "3", "MPRUN_PARAM_OTHER": "3"}
    (step,) = plan_of(tmp_path, text, "x=4", "x=5", file=str(file), environ=environ).steps
    assert step.args == (5, 2, 1, 3)


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = "params: {count: {type: int}, name: {type: str}}\n" + STEP.format("'${params.cuont}'")
    assert sorted(told(tmp_path, text, "count=x", "nmae=y")) == [
        "the parameter `count` takes a whole number, not the text `x`",
        "the parameter `name` has no value",
        "there is no parameter `cuont`",
        "there is no parameter `nmae`",
    ]


def test_a_file_of_parameters_is_read_strictly(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    text = "params: {x: {type: int}}\n" + STEP.format("'${params.x}'")
    file.write_text("x: '5'\n")
    assert told(tmp_path, text, file=str(file)) == ["the parameter `x` takes a whole number, not the text `5`"]
    file.write_text("- x\n")
    assert told(tmp_path, text, file=str(file)) == ["a file of parameters is a mapping of names to values"]
    assert told(tmp_path, text, file=str(tmp_path / "none.yaml")) == ["there is no such file"]


@pytest.mark.parametrize("text", ["x", "=5"])
def test_an_assignment_that_is_none(text: str) -> None:
    with pytest.raises(UsageError):
        param_inputs([text], "", {})


def test_a_path_from_the_command_line_starts_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = "params: {x: {type: path}}\n" + STEP.format("'${params.x}/a'")
    assert plan_of(tmp_path, text, "x=books").steps[0].args == (f"{tmp_path}/books/a",)


def test_references_may_stand_wherever_a_value_is_known_before_the_start(tmp_path: Path) -> None:
    text = """
params: {n: 3, t: {type: duration, default: 1m}, engine: stdlib, numbers: [1, 2], top: 4}
pools:
  p:
    target: jobs:a
    map: "${params.numbers}"
    processes: "${params.n}"
    engine: "${params.engine}"
    step_timeout: "${params.t}"
  q: {target: "jobs:a", map: {range: "${params.top}"}, processes: 1}
"""
    p, q = plan_of(tmp_path, text).steps
    assert (p.source.values, p.processes, p.engine, p.limits.step_timeout) == ((1, 2), 3, "stdlib", 60.0)
    assert q.source.count() == 4


def test_what_only_the_run_can_tell_stays_a_reference(tmp_path: Path) -> None:
    text = """
params: {x: 5, token: {secret: true}}
processes:
  a: {target: "jobs:a"}
  b: {target: "jobs:b", args: ["${results.a}", "${run.id}-${params.x}", {t: "${params.token}"}, "$${item}"]}
"""
    plan = plan_of(tmp_path, text, "token=hush-hush")
    assert plan.steps[1].args == (
        Reference("results", ("a",)),
        Template((Reference("run", ("id",)), "-5")),
        {"t": Reference("params", ("token",))},
        "${item}",
    )
    assert plan.steps[1].needs == {"a": "succeeded"}
    assert "hush" not in plan_json(plan)
    assert json.loads(plan_json(plan))["steps"][1]["args"][0] == {"$reference": "${results.a}"}
    assert load(str(tmp_path / "w.yaml"), param_inputs(["token=hush-hush"], "", {})).secrets == {"token": "hush-hush"}


def test_a_secret_is_not_told_in_an_error(tmp_path: Path) -> None:
    text = "params: {token: {secret: true, pattern: '[0-9]+'}}\n" + STEP.format("'${params.token}'")
    assert told(tmp_path, text, "token=hush-hush") == [
        "the parameter `token` takes a text that matches `[0-9]+`",
    ]


def test_the_line_of_a_secret_in_a_file_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("token: abc\n")
    text = "params: {token: {secret: true}}\n" + STEP.format("'${params.token}'")
    with pytest.raises(WorkflowError) as refused:
        plan_of(tmp_path, text, file=str(tmp_path / "params.yaml"))
    assert "abc" not in render_all(refused.value.diagnostics)


def test_variables_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BASE", "/data")
    monkeypatch.delenv("NOWHERE", raising=False)
    text = "params: {x: '${env.BASE}/in'}\n" + STEP.format("'${params.x}', '${env.BASE}'")
    assert plan_of(tmp_path, text).steps[0].args == ("/data/in", "/data")
    monkeypatch.setenv("COUNT", "5")
    text = "params: {x: {type: int, default: '${env.COUNT}'}}\n" + STEP.format("'${params.x}'")
    assert plan_of(tmp_path, text).steps[0].args == (5,)
    assert told(tmp_path, STEP.format("'${env.NOWHERE}'")) == ["the variable `NOWHERE` is not set"]
