"""`inputs` and `outputs` of steps: what is there before and after each call, and what an edit of a file runs again."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import CommandLine

JOBS = """
import json
from pathlib import Path

def measure(source, target):
    Path(target).write_text(str(len(Path(source).read_text())))
    return source

def table(sizes):
    Path("table.json").write_text(json.dumps(sorted(sizes)))

def publish(prefix):
    Path("site").mkdir(exist_ok=True)
    Path("site/index").write_text(prefix + Path("table.json").read_text() + Path("book").read_text())

def nothing(): pass
def touch_only(path): Path(path).touch()
"""

PROJECT = """
params: {title: Sizes}
pools:
  build:
    command: [sh, -c, 'cat header "$1" > "$2"', sh, "${item}", "out/${item.stem}.o"]
    map: {glob: "src/*.txt"}
    inputs: [header, "${item}"]
    outputs: out/${item.stem}.o
  measure:
    starmap: [[src/a.txt, a.size], [src/b.txt, b.size]]
    target: jobs:measure
    inputs: ${item.0}
    outputs: ${item.1}
  count: {command: [wc, -c, "${item}"], map: {glob: "src/*.txt"}, inputs: "${item}", stdout: "counts/${item.stem}"}
processes:
  header: {command: [sh, -c, "cat head1 head2 > header"], inputs: [head1, head2], outputs: header}
  link: {command: [sh, -c, "cat out/*.o > book"], needs: build, inputs: "out/*.o", outputs: book}
  table: {target: "jobs:table", args: ["${results.measure}"], inputs: "*.size", outputs: table.json}
  publish:
    target: jobs:publish
    args: ["${params.title}"]
    needs: [link, table]
    inputs: [book, table.json]
    outputs: site/index
  sums: {command: [sh, -c, "cat counts/*"], needs: count, inputs: "counts/*", stdout: sums}
  each: {foreach: [a, b], command: [cat, "src/${item}.txt"], inputs: "src/${item}.txt"}
  alone: {target: "jobs:nothing"}
"""
PROJECT = PROJECT.replace("  build:\n", "  build:\n    needs: header\n", 1)
EACH = {"build", "measure", "count", "header", "link", "table", "publish", "sums", "each", "alone"}


@pytest.fixture
def project(mprun: CommandLine) -> CommandLine:
    mprun.write("jobs.py", JOBS)
    mprun.write("flow.yaml", PROJECT)
    for name, text in {"head1": "h", "head2": "H", "src/a.txt": "a\n", "src/b.txt": "bb\n", "out/.keep": ""}.items():
        mprun.write(name, text)
    return mprun


def called(mprun: CommandLine) -> dict[str, int]:
    """How many calls each step of the last run has made."""
    results = [e for e in mprun.log() if e["event"] in ("task.result", "process.result") and "reused" not in e]
    return {step: sum(e["step"] == step for e in results) for step in sorted({e["step"] for e in results})}


def write(name: str, text: str) -> Callable[[Path], Any]:
    return lambda folder: (folder / name).write_text(text)


def touch(name: str) -> Callable[[Path], Any]:
    return lambda folder: (folder / name).touch()


def remove(name: str) -> Callable[[Path], Any]:
    return lambda folder: (folder / name).unlink()


# What is done to the files, the options of the run after it, and the calls that it makes.
EDITS: dict[str, tuple[Callable[[Path], Any], list[str], dict[str, int]]] = {
    "nothing": (lambda folder: None, [], {}),
    "an input is touched": (touch("src/a.txt"), [], {}),
    "an input changes": (
        write("src/b.txt", "BBB\n"),
        [],
        {"build": 1, "count": 1, "each": 1, "link": 1, "measure": 1, "publish": 1, "sums": 1, "table": 1},
    ),
    "an input changes back and what it makes is the same": (write("head1", "h"), [], {}),
    "an input of all": (write("head2", "X"), [], {"build": 2, "header": 1, "link": 1, "publish": 1}),
    "a new input": (
        write("src/c.txt", "c\n"),
        [],
        {"build": 1, "count": 1, "link": 1, "publish": 1, "sums": 1},
    ),
    "an output is gone": (remove("out/a.o"), [], {"build": 1}),
    "an output has changed": (write("book", "other"), [], {"link": 1}),
    "the output of a stream is gone": (remove("counts/a"), [], {"count": 1}),
    "the last output is gone": (remove("site/index"), [], {"publish": 1}),
    "a parameter": (lambda folder: None, ["-p", "title=Other"], {"publish": 1}),
}


def test_an_edit_runs_what_depends_on_it_and_nothing_else(project: CommandLine) -> None:
    """Each edit comes after those above it, and after the run that these have led to."""
    first = project("-q", "flow.yaml")
    assert (first.code, set(called(project))) == (0, EACH), first.stderr
    found = {}
    for what, (edit, options, _) in EDITS.items():
        edit(project.folder)
        ran = project("run", "flow.yaml", "-q", "--reuse", "latest", *options)
        assert ran.code == 0, (what, ran.stderr)
        found[what] = called(project)
    assert found == {what: calls for what, (_, _, calls) in EDITS.items()}


def test_explain_names_the_file(project: CommandLine) -> None:
    project("-q", "flow.yaml")
    (project.folder / "src/a.txt").write_text("other")
    (project.folder / "sums").unlink()
    lines = project("run", "flow.yaml", "--reuse", "latest", "--explain").stdout.splitlines()
    assert f"  build[0]: its file `{project.folder / 'src/a.txt'}` has changed" in lines
    assert f"  each@a: its file `{project.folder / 'src/a.txt'}` has changed" in [
        line.replace("each[0]", "each@a") for line in lines
    ]
    assert "link: depends on files of `build`, which is run: only the run shows whether they change" in lines
    assert "header: reused" in lines


# A step, and what becomes of its call.
FAILURES = {
    "an input that is missing": (
        "{needs: first, target: 'jobs:nothing', inputs: none, retries: 3}",
        "mprun.InputMissing",
        "there is no input `{folder}/none`",
    ),
    "a pattern that matches nothing": (
        "{needs: first, command: [echo, hi], inputs: 'none/*.txt'}",
        "mprun.InputMissing",
        "there is no input `{folder}/none/*.txt`",
    ),
    "an output that is not made": (
        "{target: 'jobs:nothing', outputs: [new, other]}",
        "mprun.OutputMissing",
        "it has not made its output `{folder}/new`, `{folder}/other`",
    ),
    "an output of long ago": (
        "{target: 'jobs:nothing', outputs: old}",
        "mprun.OutputMissing",
        "its output `{folder}/old` is as it was before the call",
    ),
    "an output that may be old": ("{target: 'jobs:nothing', outputs: {file: old, unchanged: ok}}", "", ""),
    "an output that is written again": ("{target: 'jobs:touch_only', args: [old], outputs: old}", "", ""),
}


@pytest.mark.parametrize("options", [(), ("--inline",)], ids=["child", "inline"])
@pytest.mark.parametrize("what", FAILURES)
def test_what_becomes_of_a_call(mprun: CommandLine, what: str, options: tuple[str, ...]) -> None:
    step, error, message = FAILURES[what]
    mprun.write("jobs.py", JOBS)
    mprun.write("old", "old")
    os.utime(mprun.folder / "old", (time.time() - 100,) * 2)
    mprun.write("w.yaml", f"processes: {{first: {{target: 'jobs:nothing'}}, a: {step}}}")
    ran = mprun("w.yaml", *options)
    results = [event for event in mprun.log() if event["event"] == "process.result" and event["step"] == "a"]
    (result,) = results
    assert (ran.code, result.get("exception.type", "")) == (1 if error else 0, error)
    assert result.get("exception.message", "") == message.replace("{folder}", str(mprun.folder))
    assert result["outcome"] == ("raised" if error else "returned")


@pytest.mark.parametrize("engine", ["local", "stdlib"])
def test_tasks_of_a_pool(mprun: CommandLine, engine: str) -> None:
    """Each task answers for its own files."""
    mprun.write("jobs.py", JOBS)
    mprun.write("a.txt", "a")
    mprun.write(
        "w.yaml",
        f"""
        engine: {engine}
        pools:
          p:
            target: jobs:measure
            starmap: [[a.txt, a.n], [b.txt, b.n]]
            inputs: ${{item.0}}
            outputs: ${{item.1}}
            needs: first
        processes: {{first: {{target: "jobs:nothing"}}}}
        """,
    )
    assert mprun("w.yaml").code == 1
    results = {e["task"]: e.get("exception.type", "") for e in mprun.log() if e["event"] == "task.result"}
    assert results == {0: "", 1: "mprun.InputMissing"}
    assert (mprun.folder / "a.n").read_text() == "1"


def test_a_program_is_refused(mprun: CommandLine) -> None:
    mprun.write("jobs.py", JOBS)
    mprun.write("w.yaml", "processes: {a: {target: 'jobs:nothing', inputs: w.yaml, outputs: b}}")
    ran = mprun("plan", "w.yaml", "--python")
    assert ran.code == 2
    assert "the step `a` has `inputs`" in ran.stderr
    assert "the step `a` has `outputs`" in ran.stderr
