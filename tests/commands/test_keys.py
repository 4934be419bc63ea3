"""What `keys` calls tasks and cells, from the workflow file to the log and to what people are told."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import CommandLine
from log_checks import Event

JOBS = """
class Odd:
    name = "north"
    def __str__(self):
        raise RuntimeError
def told(*args, **kwargs):
    return [list(args), kwargs]
def named(item):
    return {"name": f"<{item}>", "n": item}
def listed():
    return [{"name": "a"}, Odd()]
def spoil(item):
    raise ValueError(item.pop("name"))
def refuse(value: int):
    return value
def numbers():
    yield from ({"name": f"number {n}"} for n in range(2))
"""

FILES = {
    "rows.csv": "name,n\nnorth,1\nsouth\neast,3\n",
    "values.jsonl": '{"name": "north"}\nnot json\n["name"]\n',
}

# Each pool, and the keys of its tasks; None for one that has none.
POOLS: list[tuple[str, list[str | None]]] = [
    ("map: [{name: north}, {nam: south}, east, {name: [1, 2]}], keys: name", ["north", None, None, "1,2"]),
    ("map: [{name: north}, {name: north}], keys: name", ["north", "north"]),
    ("imap: [{at: {city: Oslo}}], keys: at.city, kwargs: {more: 1}", ["Oslo"]),
    ('map: [north, "a\\nb"], keys: "<${item}>"', ["<north>", "<a\\nb>"]),
    ('map: [{name: é, n: 1}, {name: "\\"", n: 2}, {n: 3}], keys: "${item.name}/${item.n}"', ["é/1", '"/2', None]),
    ("starmap: [[1, south], {a: 3}], keys: '1'", ["south", None]),
    ('matrix: {lr: [0.1, 0.2], depth: [1]}, keys: "${matrix.lr}/${matrix.depth}"', ["0.1/1", "0.2/1"]),
    ("zip: {a: [1, 2], b: [x, y]}, keys: b", ["x", "y"]),
    ("map: {csv: rows.csv}, keys: name", ["north", None, "east"]),
    ('starmap: {csv: rows.csv}, keys: "${item.n}"', ["1", None, "3"]),
    ("imap_unordered: {jsonl: values.jsonl}, keys: name", ["north", None, None]),
    ("map: {range: 2}, keys: name", [None, None]),
    ('map: "${results.kept}", keys: n', ["3", "4"]),
    ('map: "${results.listed}", keys: "${item.name}"', ["a", "north"]),
    ('map: "${results.listed}", keys: "${item}"', ["a", None]),
]

KEPT = '{target: "jobs:named", processes: 1, map: [3, 4], keys: "n${item}"}'


def ended(log: list[Event], step: str, event: str = "task.result") -> list[Event]:
    return sorted((e for e in log if e["event"] == event and e["step"] == step), key=lambda e: e["task"])


def keys(log: list[Event], step: str, event: str = "task.result") -> list[Any]:
    return [each.get("key") for each in ended(log, step, event)]


def write(mprun: CommandLine, pools: dict[str, str], more: str = "") -> None:
    mprun.write("jobs.py", JOBS)
    for name, text in FILES.items():
        mprun.write(name, text)
    lines = [f"  {name}: {written}" for name, written in pools.items()]
    mprun.write("w.yaml", "\n".join([*more.splitlines(), "pools:", *lines, ""]))


@pytest.mark.parametrize("options", [(), ("--inline",)], ids=["children", "inline"])
@pytest.mark.parametrize("engine", ["local", "stdlib"])
def test_each_task_is_called_by_the_key_of_its_item(mprun: CommandLine, engine: str, options: tuple[str, ...]) -> None:
    """Of items that stand in the file, that are read, and that other steps have returned; no key fails a task."""
    pools = {f"p{n}": f'{{target: "jobs:told", processes: 1, {written}}}' for n, (written, _) in enumerate(POOLS)}
    write(mprun, {"kept": KEPT, **pools}, f'engine: {engine}\nprocesses: {{listed: {{target: "jobs:listed"}}}}')
    ran = mprun("w.yaml", "-q", *options)
    log = mprun.log()
    assert {f"p{n}": keys(log, f"p{n}") for n in range(len(POOLS))} == {f"p{n}": k for n, (_, k) in enumerate(POOLS)}
    assert keys(log, "kept") == ["n3", "n4"]
    failed = {(e["step"], e["task"]) for e in log if e["event"] == "task.result" and e["outcome"] != "returned"}
    assert failed == {("p8", 1), ("p9", 1), ("p10", 1)}, ran.stderr  # the records that can't be read


@pytest.mark.parametrize("options", [(), ("--inline",)], ids=["children", "inline"])
@pytest.mark.parametrize("engine", ["local", "stdlib"])
def test_a_task_that_fails(mprun: CommandLine, engine: str, options: tuple[str, ...]) -> None:
    """Its key is that of the item before the call, which may have changed it; a program's and a refused item's too."""
    pools = {
        "spoilt": '{target: "jobs:spoil", map: [{name: north, n: 1}], keys: name, processes: 1}',
        "refused": '{target: "jobs:refuse", starmap: {csv: values.csv}, keys: value, processes: 1}',
        "program": '{command: [test, "${item.n}", -eq, "1"], map: [{n: 1}, {n: 2}], keys: n, processes: 1}',
    }
    write(mprun, pools, f"engine: {engine}")
    mprun.write("values.csv", "value\none\n2\n")
    ran = mprun("w.yaml", *options)
    log = mprun.log()
    assert ended(log, "spoilt")[0]["args"] == [{"n": 1}]
    assert (keys(log, "spoilt"), keys(log, "refused"), keys(log, "program")) == (["north"], ["one", "2"], ["1", "2"])
    for told in ("spoilt[0] (north): raised: ValueError: north", "refused[0] (one): raised", "program[1] (2): raised"):
        assert told in ran.stderr
    assert "spoilt[0] (north)  raised" in mprun("logs", "latest", "--step", "spoilt").stdout
    assert "    key: north\n" in mprun("show", "latest", "spoilt[0]").stdout
    assert "spoilt[0] (north): raised" in mprun("show", "latest").stdout


@pytest.mark.parametrize("options", [(), ("--inline",)], ids=["children", "inline"])
def test_an_attempt_that_is_followed_by_another(mprun: CommandLine, options: tuple[str, ...]) -> None:
    again = '{target: "jobs:spoil", map: [{name: north}, {nam: x}], keys: name, retries: {count: 1}}'
    write(mprun, {"again": again})
    mprun("w.yaml", "-q", *options)
    log = mprun.log()
    assert keys(log, "again", "task.retried") == ["north", None]
    assert [event["outcome"] for event in ended(log, "again")] == ["raised", "raised"]


def test_where_only_failures_are_logged(mprun: CommandLine) -> None:
    """A record that can't be read doesn't have the key of the one before it."""
    write(
        mprun, {"p": '{target: "jobs:told", processes: 1, map: {csv: rows.csv}, keys: name}'}, "log: {tasks: failures}"
    )
    mprun("w.yaml", "-q")
    assert [(event["task"], event.get("key")) for event in ended(mprun.log(), "p")] == [(1, None)]


def test_what_a_generator_yields(mprun: CommandLine) -> None:
    write(mprun, {"p": '{target: "jobs:told", imap: {call: "jobs:numbers"}, keys: name}'})
    assert mprun("w.yaml").code == 0
    assert keys(mprun.log(), "p") == ["number 0", "number 1"]


@pytest.mark.parametrize("options", [(), ("--inline",)], ids=["children", "inline"])
def test_what_is_taken_over_from_an_earlier_run_has_its_key(mprun: CommandLine, options: tuple[str, ...]) -> None:
    write(mprun, {"p": '{target: "jobs:refuse", map: [{n: "\\"1\\\\", m: x}, {n: 2}], keys: n}'})
    mprun.write(
        "jobs.py", "import os\ndef refuse(item):\n    return item['m' if not os.path.exists('done') else 'n']\n"
    )
    assert mprun("w.yaml", "-q", *options).code == 1
    mprun.write("done", "")
    ran = mprun("resume", "latest", "-q")
    log = mprun.log()
    assert ran.code == 0, ran.stderr
    assert [(e["key"], e["result"], "reused" in e) for e in ended(log, "p")] == [('"1\\', "x", True), ("2", 2, False)]


FAN_OUT = """
processes:
  fetch:
    target: jobs:told
    foreach: [{name: north, n: 1}, {name: south, n: 2}, {name: north, n: 3}, {n: 4}]
    args: ["${item.n}"]
    keys: KEYS
"""


@pytest.mark.parametrize("options", [(), ("--inline",)], ids=["children", "inline"])
@pytest.mark.parametrize("written", ["name", '"${item.name}"'])
def test_cells_are_called_by_their_keys(mprun: CommandLine, written: str, options: tuple[str, ...]) -> None:
    """Each by another one; that without a key by its value."""
    mprun.write("jobs.py", JOBS)
    mprun.write("w.yaml", FAN_OUT.replace("KEYS", written))
    assert mprun("w.yaml", *options).code == 0
    results = sorted((e for e in mprun.log() if e["event"] == "process.result"), key=lambda e: e["task"])
    assert [event["cell"] for event in results] == ["north", "south", "north#2", "4"]
    assert mprun("repro", "latest", "fetch@north#2").stdout.startswith("jobs.told(3)\n")


def test_a_cell_is_found_by_its_key(mprun: CommandLine) -> None:
    mprun.write("jobs.py", JOBS)
    mprun.write("w.yaml", FAN_OUT.replace("KEYS", "name"))
    assert mprun("run", "w.yaml", "--only", "fetch@south").code == 0
    (result,) = (event for event in mprun.log() if event["event"] == "process.result")
    assert (result["cell"], result["result"]) == ("south", [[2], {}])
    wrong = mprun("run", "w.yaml", "--only", "fetch@sout")
    assert wrong.stderr == "error: `--only fetch@sout`: `fetch` has no cell `sout`; did you mean `south`?\n"


RELABELLED = {
    "a list": "map: [{name: a, city: x}, {name: b, city: y}]",
    "a csv": "map: {csv: towns.csv}",
    "a generator": 'imap: {call: "jobs:towns"}',
    "results": 'map: "${results.towns}"',
    "the items of one result": 'map: "${results.all}"',
}


@pytest.mark.parametrize("what", RELABELLED)
def test_a_task_that_is_reused_under_other_keys_has_its_new_key(mprun: CommandLine, what: str) -> None:
    """Also one that an object of a user's stands for, which only a worker loads: it has none."""
    mprun.write("towns.csv", "name,city\na,x\nb,y\n")
    mprun.write(
        "jobs.py",
        """
        class Town(dict):
            pass


        def towns():
            return [{"name": "a", "city": "x"}, {"name": "b", "city": "y"}]


        def town(number):
            return Town(city="z") if number == 2 else towns()[number]


        def size(town):
            return len(town)
        """,
    )
    for keys_, expected in (("keys: name", "ab"), ("keys: city", "xy"), ('keys: "${item.name}/${item.city}"', "")):
        mprun.write(
            "w.yaml",
            f"""
            pools:
              towns: {{processes: 1, target: "jobs:town", map: {{range: {3 if what == "results" else 2}}}}}
              all: {{processes: 1, target: "jobs:towns", apply: {{}}}}
              p: {{processes: 1, target: "jobs:size", {RELABELLED[what]}, {keys_}}}
            """,
        )
        ran = mprun("run", "w.yaml", "-q", *(["--reuse", "latest"] if mprun.logs() else []))
        assert (ran.code, ran.stderr) == (0, "")
        found = keys(mprun.log(), "p")
        assert found[:2] == (list(expected) or ["a/x", "b/y"])
        assert found[2:] in ([], [None])
    assert all("reused" in event for event in ended(mprun.log(), "p"))
    rewritten = (mprun.folder / "w.yaml").read_text().replace(', keys: "${item.name}/${item.city}"', "")
    mprun.write("w.yaml", rewritten)
    assert mprun("run", "w.yaml", "-q", "--reuse", "latest").code == 0
    assert keys(mprun.log(), "p")[:2] == [None, None]
    assert all("reused" in event for event in ended(mprun.log(), "p"))
