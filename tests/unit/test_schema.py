"""The JSON Schema judges workflow files as the loader does, but for a listed set of what a schema can't say."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from mprun.errors.exceptions import WorkflowError
from mprun.format.schema import draft07, workflow_schema
from mprun.loading.load import load
from mprun.loading.read.file import decode, read_bytes
from mprun.loading.read.yaml_data import read_yaml

MISTAKES = Path(__file__).parents[1] / "mistakes"

# Mistakes that only loading finds: names, graphs, files, Python's own rules, and YAML itself.
NOT_IN_A_SCHEMA = {
    *("parts-of-references", "stream-files"),
    *("if-names", "if-no-code", "outcome-too-early"),
    *("duplicate-key", "duplicate-merge", "merge-not-a-mapping", "tag-text"),
    *("needs-cycle", "needs-two-cycles", "needs-itself", "needs-unknown", "needs-unknown-no-idea", "needs-daemon"),
    *("same-name-twice", "reference", "env-number-changes"),
    *("target-dots", "target-slashes", "target-call", "initializer"),
    *("target-file", "working-dir", "pythonpath-missing", "lines-missing", "lines-folder"),
    *("range-step-zero", "range-too-many", "chunksize-as-float", "grace-period-nan"),
    *("kwargs-bad-name", "max-memory-small-text"),
    *("retries-on-unknown", "retries-on-no-idea", "retries-on-timeout", "retries-on-dotted", "retries-on-class-text"),
    *(
        "retries-on-file",
        "retries-on-cancelled",
        "retries-two-imports",
        "retries-not-on-outcome",
        "retries-not-on-unknown",
    ),
    *("retries-two-imports", "retries-raised-and-class", "retries-on-and-not-on", "retries-not-on-without-raised"),
    *("retries-without-delay", "retries-max-delay-short", "retries-max-delay-fixed"),
    *("defaults-stdlib", "shared-none", "shared-types-of-c", "param-choices", "condition-quoted-reference"),
    *("tag-of-a-key", "results-parts"),
    *("shared-huge", "shared-max-parallel"),
    *("include-no-path", "save-no-path", "matrix-number-as-axis"),
    *("results-cycle", "save", "source-files", "stdlib-sources"),
    *("include-needs-across", "zip"),
    *("include-cycle", "include-saves", "include-secret", "include-twice", "only-targets"),
    *("slow-after-timeout", "slow-after-step-timeout", "timeout-after-step-timeout", "daemon-timeout"),
    *(
        "stdlib-limits",
        "stdlib-inherited",
        "stdlib-log",
        "stdlib-wide",
        "stdlib-beside-daemon",
        "stdlib-wide-unsaid",
        "daemons-take-all",
    ),
}

STEP = "processes: {a: {target: 'jobs:a'}}\n"
GOOD = [
    STEP,
    STEP + "x-anchors: [1, {a: b}]\nx-: ",
    STEP + "name: n\ndescription: ''\nstart_method: spawn\nworking_dir: .\npythonpath: .\ngrace_period: 1.5",
    STEP + "pythonpath: ['.', ..]\ngrace_period: 0",
    *[STEP + f"grace_period: {text}" for text in ("30s", "1m30s", "500ms", "1h", "1h30m5s10ms", "0.5s", "10")],
    STEP + "env: {A: text, B: 5, C: 1.5, d e: ''}",
    "processes: {a: {target: 'm:C.f', args: [1, [2], {3: ~}], kwargs: {a: ~}, daemon: true, needs: []}}",
    "processes: {a: {target: 'a:b'}, _b-1: {target: 'a:b', needs: a}, c: {target: 'a:b', needs: [a, _b-1]}}",
    "pools: {p: {target: 'a:b', apply: {}}}",
    "pools: {p: {target: 'a:b', apply: {args: [1], kwargs: {b: 2}}, initializer: 'a:c', initargs: [1]}}",
    *[
        f"pools: {{p: {{target: 'a:b', {call}: [1, text, ~]}}}}"
        for call in ("map", "starmap", "imap", "imap_unordered")
    ],
    *[f"pools: {{p: {{target: 'a:b', map: {{range: {text}}}}}}}" for text in ("5", "[5]", "[1, 5]", "[9, 1, -2]", "0")],
    "pools: {p: {target: 'a:b', imap: {glob: '*.txt'}, chunksize: 1, maxtasksperchild: 10}}",
    "pools: {p: {target: 'a:b', imap: {lines: items.txt}}}",
    *[f"pools: {{p: {{target: 'a:b', map: [], processes: {size}}}}}" for size in ("1", "cpus", "cpus - 1", "cpus-2")],
]

LIMITED = "processes: {{a: {{target: 'jobs:a', {}}}}}"
GOOD += [
    STEP + "timeout: 2h\nmax_parallel: 8\nfail_fast: true\nlog: {tasks: failures}\nengine: stdlib",
    STEP + "log: {}\nmax_parallel: 1",
    "max_parallel: 2\nprocesses: {a: {target: 'jobs:a'}, d: {target: 'jobs:d', daemon: true, retries: 3}}",
    "max_parallel: 4\nengine: stdlib\npools: {p: {target: 'a:b', map: [1], processes: 4, retries: 0}}",
    "pools: {p: {target: 'a:b', map: [1], engine: stdlib, step_timeout: 1h, continue_on_error: true}}",
    "engine: stdlib\npools: {p: {target: 'a:b', map: [1], engine: local, timeout: 1m, retries: 2, max_memory: 1G}}",
    "engine: stdlib\nprocesses: {a: {target: 'jobs:a', timeout: 1m, retries: 2}}",
    *[LIMITED.format(f"timeout: {text}") for text in ("1", "0.5", "1ms", "10s", "1h30m", "0h1s")],
    *[LIMITED.format(f"max_memory: {text}") for text in ("1048576", "512M", "2G", "1.5G", "100MiB", "1GB", "2048K")],
    LIMITED.format("slow_after: 5s, timeout: 10s, step_timeout: 1m, continue_on_error: true"),
    LIMITED.format("timeout: 1m, step_timeout: 60"),
    *[LIMITED.format(f"retries: {text}") for text in ("0", "3", "{count: 0}", "{count: 3, delay: 0}")],
    LIMITED.format("retries: {count: 3, delay: 1s, backoff: exponential, max_delay: 1m, jitter: true}"),
    LIMITED.format("retries: {count: 3, delay: 5m, backoff: fixed, jitter: false}"),
    *[
        LIMITED.format(f"retries: {{count: 1, {names}}}")
        for names in (
            "on: OSError",
            "on: [lost, timed_out]",
            "on: [lost, 'jobs:Busy', 'errors.py:Late', KeyboardInterrupt], not_on: FileNotFoundError",
            "not_on: [ValueError, 'jobs:Hopeless']",
            "on: raised, not_on: ['m:Outer.Inner']",
        )
    ],
]

PARAMS = "params: {n: 2, s: text, l: [1, 2], t: 5s, b: false, m: spawn, e: local}\n"
REFERRING = PARAMS.replace("{", "{{").replace("}", "}}") + "processes: {{a: {{target: 'jobs:a', {}}}}}"
POOLED = REFERRING.replace("processes", "pools")
GOOD += [
    PARAMS + STEP + "start_method: ${params.m}\nengine: ${params.e}\nmax_parallel: ${params.n}\nfail_fast: ${params.b}",
    PARAMS + STEP + "timeout: ${params.t}\ngrace_period: ${params.n}\nname: a ${params.s} ${env.PATH}",
    PARAMS
    + STEP
    + "env: {A: '${params.n}', B: '${env.PATH}'}\ndefaults: {retries: '${params.n}', timeout: '${params.t}'}",
    *[REFERRING.format(f"{key}: '${{params.n}}'") for key in ("timeout", "retries", "slow_after")],
    REFERRING.format("retries: {count: '${params.n}', delay: '${params.t}'}, continue_on_error: '${params.b}'"),
    REFERRING.format("args: '${params.l}', kwargs: {a: '${params.l}', b: ['${params.n}']}, daemon: '${params.b}'"),
    REFERRING.format("foreach: '${params.l}', args: ['${item}'], max_parallel: '${params.n}', keys: '${item}'"),
    REFERRING.format(
        "matrix: {x: '${params.l}', y: {range: '${params.n}'}, z: ['${params.s}']}, save: '${run.id}.json'"
    ),
    REFERRING.format("zip: {x: '${params.l}', y: [1, 2]}, kwargs: {a: '${matrix.x}'}"),
    "processes: {a: {command: [convert, '${item}', 3], foreach: [a, b]}}",
    POOLED.format("processes: '${params.n}', chunksize: '${params.n}', map: {range: [0, '${params.n}']}"),
    POOLED.format("map: {range: '${params.n}', first: '${params.n}', skip: '${params.n}'}, kwargs: {a: '${run.id}'}"),
    POOLED.format("map: '${params.l}', maxtasksperchild: '${params.n}', engine: '${params.e}'"),
    STEP
    + "pools: {p: {target: 'jobs:a', imap: '${results.a}'}, q: {target: 'jobs:a', apply: {args: ['${results.p}']}}}",
    "targets: {a: 'jobs:a', b: 'errors.py:Late'}\nonly_targets: true\nprocesses: {x: {target: a}, y: {target: b}}",
    "pools: {p: {target: 'a:b', map: {csv: rows.csv, delimiter: ;, skip: 1}, env: {A: 1}, working_dir: .}}",
    "pools: {p: {target: 'a:b', imap: {call: 'a:c', args: [1], kwargs: {b: 2}, first: 3}}}",
]


GOOD += [
    *[
        "params: {n: 3, name: x, dry: false}\nprocesses:\n  a:\n    target: jobs:a\n    if: " + text
        for text in (
            "true",
            "${params.n} > 2 and not ${params.dry}",
            "\"${params.name} in ['x', 'y'] or ${params.n} == null\"",
            "${params.name} != ${env.HOME}",
            "(${params.n} >= 1.5)",
        )
    ],
    "processes: {a: {target: 'a:b'}, b: {target: 'a:b', needs: {a: failed}}, c: {target: 'a:b', needs: {a: finished}}}",
    STEP + "on_success: {s: {target: 'a:b', needs: a}}\non_failure: {f: {target: 'a:b', needs: {a: failed}}}",
    STEP
    + "on_exit: {e: {command: [echo, '${run.outcome}'], if: \"${run.outcome} != 'succeeded'\"}, f: {target: 'a:b'}}",
    STEP
    + "on_exit: {}\non_failure: {f: {foreach: [1], target: 'a:b', args: ['${item}', '${results.a}'], timeout: 1m}}",
    "processes: {a: {command: [echo, 1, 2.5, '', '${run.id}']}}",
    "processes: {a: {foreach: [1, 2], command: [echo, '${item}'], max_parallel: 2}}",
    "pools: {p: {map: [1, 2], command: [echo, 'n=${item}']}, q: {command: ['true'], apply: {}}}",
]


@functools.cache
def validator() -> Draft7Validator:
    return Draft7Validator(workflow_schema())


def schema_accepts(data: Any) -> bool:
    return bool(validator().is_valid(data))


def _data(file: Path) -> Any:
    """What an editor's JSON Schema checker is given for `file`: its keys are all text."""
    data = read_yaml(decode(read_bytes(str(file)), str(file)), str(file)).data
    return json.loads(json.dumps(data))


@pytest.mark.parametrize("text", GOOD)
def test_what_both_accept(text: str, tmp_path: Path) -> None:
    for name in ("items.txt", "errors.py"):
        (tmp_path / name).touch()
    (tmp_path / "rows.csv").write_text("a;b\n")
    file = tmp_path / "w.yaml"
    file.write_text(text)
    assert load(str(file)).diagnostics == ()
    assert schema_accepts(_data(file))


@pytest.mark.parametrize(
    "name", sorted(path.stem for path in MISTAKES.glob("*.yaml") if not path.stem.startswith("yaml-"))
)
def test_what_both_refuse(name: str) -> None:
    try:
        data = _data(MISTAKES / f"{name}.yaml")
    except WorkflowError:
        pytest.skip("not YAML that a schema could judge")
    assert schema_accepts(data) is (name in NOT_IN_A_SCHEMA)


def test_the_schema_is_draft_07_throughout() -> None:
    schema = workflow_schema()
    Draft7Validator.check_schema(schema)
    text = json.dumps(schema)
    assert "$defs" not in text
    assert "prefixItems" not in text


def test_each_key_has_a_description() -> None:
    schema = workflow_schema()
    for level in (schema, *schema["definitions"].values()):
        assert [key for key, value in level["properties"].items() if not value.get("description")] == []


REWRITES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"$defs": {"A": {"type": "null"}}, "$ref": "#/$defs/A"},
        {"definitions": {"A": {"type": "null"}}, "allOf": [{"$ref": "#/definitions/A"}]},
    ),
    ({"items": {"$ref": "#/$defs/A"}}, {"items": {"$ref": "#/definitions/A"}}),
    ({"properties": {"$ref": {"type": "null"}}}, {"properties": {"$ref": {"type": "null"}}}),
    (
        {"prefixItems": [{"type": "null"}], "items": False},
        {"items": [{"type": "null"}], "additionalItems": False},
    ),
    ({"prefixItems": [True]}, {"items": [True], "additionalItems": True}),
    ({"const": {"$defs": 1}}, {"const": {"$defs": 1}}),
]


@pytest.mark.parametrize(("newer", "older"), REWRITES)
def test_draft07(newer: dict[str, Any], older: dict[str, Any]) -> None:
    before = json.dumps(newer)
    assert draft07(newer) == {"$schema": "http://json-schema.org/draft-07/schema#", **older}
    assert json.dumps(newer) == before
