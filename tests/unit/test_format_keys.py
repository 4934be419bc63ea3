"""Each key of a workflow file has its words, an example that loads, and its place in README and docs/keys.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

import mprun
from mprun.format.keys import key_of
from mprun.format.levels import (
    APPLY,
    AXIS,
    DEFAULTS,
    INCLUDE,
    ITEMS,
    LEVELS,
    LOG,
    MATRIX,
    PARAM,
    POOL,
    PROCESS,
    RETRIES,
    WORKFLOW,
    Level,
)
from mprun.format.reference import keys_reference
from mprun.format.schema import workflow_schema
from mprun.loading.load import load
from mprun.loading.params.inputs import ParamInput, ParamInputs
from mprun.loading.read.yaml_data import read_yaml
from mprun.plan.plan import FAN_OUTS, POOL_CALLS

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
KEYS = [(level, key) for level in LEVELS for key in level.keys]
NAMES = [f"{level.name}.{key}" for level, key in KEYS]

# What stands above the keys of a level.
ABOVE = {
    WORKFLOW: "",
    PROCESS: "processes:\n  fetch: {target: jobs:fetch}\n  count: {target: jobs:count}\n  a:\n",
    POOL: "processes:\n  fetch: {target: jobs:fetch}\n  count: {target: jobs:count}\npools:\n  p:\n",
    ITEMS: "pools:\n  p:\n    target: jobs:a\n    map:\n",
    MATRIX: "pools:\n  p:\n    target: jobs:a\n    matrix:\n",
    AXIS: "pools:\n  p:\n    target: jobs:a\n    matrix:\n      size:\n",
    APPLY: "pools:\n  p:\n    target: jobs:a\n    apply:\n",
    RETRIES: "processes:\n  a:\n    target: jobs:a\n    retries:\n",
    DEFAULTS: "processes: {a: {target: jobs:a}}\npools: {p: {target: jobs:a, map: [1]}}\ndefaults:\n",
    PARAM: "processes: {a: {target: jobs:a}}\nparams:\n  n:\n",
    INCLUDE: "processes: {a: {target: jobs:a}}\ninclude:\n",
    LOG: "processes: {a: {target: jobs:a}}\nlog:\n",
}
# What stands beside the key: of the level in any case but where the key replaces it, and what the key is about.
BESIDE = {
    WORKFLOW: {"processes": "{a: {target: jobs:a}}"},
    PROCESS: {"target": "jobs:a"},
    POOL: {"target": "jobs:a", "map": "[1, 2]"},
    MATRIX: {"size": "[128, 256]", "format": "[png, gif]"},
    RETRIES: {"count": "2"},
    INCLUDE: {"file": "cleanup.yaml"},
}
REPLACES = {**dict.fromkeys(("command", "stdout", "stderr"), ("target",)), **dict.fromkeys(POOL_CALLS, ("map",))}
ABOUT = {
    "a workflow.only_targets": {"targets": "{x: jobs:a}", "processes": "{a: {target: x}}"},
    "a workflow.shared": {"processes": "{a: {target: jobs:a, args: ['${shared.lock}', '${shared.total}']}}"},
    "a process.keys": {"foreach": "[1, 2]"},
    "a pool.outputs": {"map": "[1]"},
    **{f"a process.{key}": {"command": "[ls]"} for key in ("stdout", "stderr")},
    **{f"a pool.{key}": {"command": "[ls]", "map": "[1]"} for key in ("stdout", "stderr")},
    "a process.max_parallel": {"foreach": "[1, 2]"},
    "a pool.initargs": {"initializer": "jobs:connect"},
    "a source of items.args": {"call": "jobs:pages"},
    "a source of items.kwargs": {"call": "jobs:pages"},
    "a source of items.delimiter": {"csv": "rows.csv"},
    "a source of items.allow_empty": {"glob": "none/*"},
    "a source of items.skip": {"range": "10"},
    "a source of items.first": {"range": "10"},
    "`retries`.backoff": {"delay": "1s"},
    "`retries`.jitter": {"delay": "1s"},
    "`retries`.max_delay": {"delay": "1s", "backoff": "exponential"},
    "a parameter.required": {"type": "int"},
    "a parameter.description": {"type": "int"},
    "a parameter.minimum": {"default": "5"},
    "a parameter.maximum": {"default": "5"},
    "a parameter.pattern": {"default": "abc"},
    "a parameter.choices": {"default": "fast"},
    "a parameter.items": {"type": "list"},
    "a parameter.secret": {"type": "str"},
}
# The parameters that have no default there.
GIVEN = {
    "a workflow.params": ParamInput("source", "data", True, "a test"),
    **dict.fromkeys(
        (f"a parameter.{key}" for key in ("type", "description", "items", "secret")),
        ParamInput("n", "12345", True, "a test"),
    ),
}
USES_N = "params: {n: 5}\n"  # of the example of `if`
FILES = {
    "cleanup.yaml": "params: {days: 3}\nprocesses: {clean: {target: jobs:clean}}",
    "rows.csv": "a;b\n1;2\n",
    "rows.jsonl": "1\n2\n",
    "urls.txt": "a\nb\n",
    "photos/a.jpg": "",
    "data/a": "",
    "src/a": "",
    "vendor/a": "",
}


def workflow(level: Level, key: str) -> str:
    """The smallest workflow that has `key` with its example."""
    left_out = REPLACES.get(key, ()) if level in (PROCESS, POOL) else ()
    beside = {name: text for name, text in BESIDE.get(level, {}).items() if name not in left_out}
    written = {**beside, **ABOUT.get(f"{level.name}.{key}", {}), key: key_of(level.fields[key]).example}
    above = ABOVE[level]
    last = above.splitlines()[-1] if above else ""
    margin = " " * (len(last) - len(last.lstrip()) + 2 if above else 0)
    params = USES_N if key == "if" else ""
    return params + above + "".join(f"{margin}{name}: {text}\n" for name, text in written.items())


@pytest.mark.parametrize(("level", "key"), KEYS, ids=NAMES)
def test_the_example_of_a_key_loads(level: Level, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    text = workflow(level, key)
    Path("w.yaml").write_text(text)
    given = [each for name, each in GIVEN.items() if name == f"{level.name}.{key}"]
    assert [each.message for each in load("w.yaml", ParamInputs(tuple(given))).diagnostics] == [], text
    assert Draft7Validator(workflow_schema()).is_valid(read_yaml(text, "w.yaml").data), text


@pytest.mark.parametrize(("level", "key"), KEYS, ids=NAMES)
def test_a_key_has_its_words(level: Level, key: str) -> None:
    known = key_of(level.fields[key])
    assert level.takes(key)
    assert known.since in ("0.1", mprun.__version__.rpartition(".")[0])
    assert f"| `{key}` | {level.fields[key].description} | " in keys_reference()


@pytest.mark.parametrize("level", LEVELS, ids=lambda level: level.name)
def test_what_others_say_means_one_key(level: Level) -> None:
    said = [word for field in level.fields.values() for word in key_of(field).also]
    assert [word for word in said if said.count(word) > 1 or word in level.keys] == []
    with_a_number = [word for field in level.fields.values() for word in key_of(field).also_with_a_number]
    assert [word for word in with_a_number if with_a_number.count(word) > 1 or word in level.keys] == []


def brief(*rows: str) -> set[str]:
    """What stands in backticks in these rows of the README's table."""
    found = [re.search(rf"^\| {row} \| (.*) \|$", README, re.MULTILINE) for row in rows]
    return {word for row in found if row for word in re.findall(r"`(\w+)`", row[1])}


@pytest.mark.parametrize(
    ("level", "rows"),
    [
        (WORKFLOW, ("the workflow", "around the run")),
        (PROCESS, ("a process", "either")),
        (POOL, ("a pool", "either")),
    ],
    ids=["a workflow", "a process", "a pool"],
)
def test_the_readme_has_each_key_in_brief(level: Level, rows: tuple[str, ...]) -> None:
    assert sorted(set(level.keys) - brief(*rows)) == []


def test_each_fan_out_and_call_is_a_key() -> None:
    assert set(FAN_OUTS) <= set(PROCESS.keys)
    assert set(POOL_CALLS) <= set(POOL.keys)
