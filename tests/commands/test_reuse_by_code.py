"""A small project of commands and functions, edited between two runs: what depends on the edit is run again, no more.

`PROJECT` and `EDITS` are the table.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import CommandLine
from log_checks import results

PROJECT = {
    "flow.yaml": """
        params: {exponent: 2, greeting: hello}
        pythonpath: [lib]
        processes:
          names: {command: [echo, north, south]}
          greet: {foreach: [north, south], command: [echo, "${params.greeting}", "${item}"]}
          report: {target: stages.report:write, args: ["${results.powers}", "${results.names}"]}
          lonely: {target: alone.py:lonely}
        pools:
          numbers: {processes: 1, target: stages.numbers:number, map: [1, 2]}
          powers:
            {processes: 1, target: stages.powers:power, map: "${results.numbers}", kwargs: {by: "${params.exponent}"}}
          begun: {processes: 1, target: "builtins:abs", map: [-1], initializer: stages.begin:begin}
          sum: {processes: 1, target: "builtins:sum", apply: {args: ["${results.powers}"]}}
        """,
    "stages/__init__.py": "",
    "stages/numbers.py": """
        from . import helper


        def number(n):
            return helper.norm(n)
        """,
    "stages/helper.py": """
        from shared_lib import scale


        def norm(n):
            return scale(n)
        """,
    "stages/powers.py": """
        def power(base, by):
            from .late import raised

            return raised(base, by)
        """,
    "stages/late.py": """
        def raised(base, by):
            return base**by
        """,
    "stages/begin.py": """
        def begin():
            pass
        """,
    "stages/report.py": """
        import json


        def write(numbers, names):
            return json.dumps([numbers, names])
        """,
    "lib/shared_lib.py": """
        def scale(n):
            return n * 10
        """,
    "alone.py": """
        def lonely():
            return 1
        """,
    "unused.py": "",
}
EACH = {"names", "greet", "report", "lonely", "numbers", "powers", "begun", "sum"}


def edit(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new))

    return change


def edits(*each: Callable[[Path], None]) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        for one in each:
            one(folder)

    return change


# What is edited, the options of the second run, and the steps that are run again.
EDITS: dict[str, tuple[Callable[[Path], None], list[str], set[str]]] = {
    "nothing": (edits(), [], set()),
    "a comment": (edit("stages/helper.py", "def norm", "# of one number\ndef norm"), [], set()),
    "a docstring": (edit("stages/numbers.py", "return", '"""A number."""\n    return'), [], set()),
    "blank lines": (edit("lib/shared_lib.py", "\n", "\n\n"), [], set()),
    "a module that nobody imports": (edit("unused.py", "", "x = 1\n"), [], set()),
    "a target's own module": (edit("stages/report.py", "[numbers, names]", "[names, numbers]"), [], {"report"}),
    "a target's own file": (edit("alone.py", "1", "2"), [], {"lonely"}),
    "a helper": (
        edit("stages/helper.py", "scale(n)", "scale(n) + 1"),
        [],
        {"numbers", "powers", "sum", "report"},
    ),
    "a helper that gives the same": (edit("stages/helper.py", "scale(n)", "scale(+n)"), [], {"numbers"}),
    "a helper's helper": (
        edit("lib/shared_lib.py", "n * 10", "n * 110"),
        [],
        {"numbers", "powers", "sum", "report"},
    ),
    "an import in a function": (edit("stages/late.py", "base**by", "base * by"), [], {"powers", "sum", "report"}),
    "a package's __init__": (
        edit("stages/__init__.py", "", "x = 1\n"),
        [],
        {"numbers", "powers", "begun", "report"},
    ),
    "an initializer": (edit("stages/begin.py", "pass", "global x\n    x = 1"), [], {"begun"}),
    "a parameter of a function": (edits(), ["-p", "exponent=3"], {"powers", "sum", "report"}),
    "a parameter of a command": (edits(), ["-p", "greeting=hi"], {"greet"}),
    "a command": (edit("flow.yaml", "[echo, north, south]", "[echo, south, north]"), [], {"names", "report"}),
    "an item": (edit("flow.yaml", "map: [1, 2]", "map: [1, 2, 3]"), [], {"numbers", "powers", "sum", "report"}),
    "the steps' names": (
        edits(edit("flow.yaml", "numbers: {", "first: {"), edit("flow.yaml", "results.numbers", "results.first")),
        [],
        set(),
    ),
    "a file moved": (
        edits(
            lambda folder: (folder / "stages/helper.py").rename(folder / "stages/moved.py"),
            edit("stages/numbers.py", "import helper", "import moved as helper"),
        ),
        [],
        {"numbers"},
    ),
}


@pytest.fixture
def project(mprun: CommandLine) -> CommandLine:
    for name, text in PROJECT.items():
        (mprun.folder / name).parent.mkdir(exist_ok=True)
        mprun.write(name, text)
    return mprun


def run_again(log: list[dict[str, object]]) -> set[str]:
    """The steps that made a call."""
    return {str(event["step"]) for event in log if event["event"] in RESULTS and "reused" not in event}


RESULTS = ("task.result", "process.result")


def test_what_an_edit_touches_is_run_again_and_nothing_else(project: CommandLine) -> None:
    """Each edit is of the files as they were for the first run, and each is followed by a run of its own."""
    assert project("-q", "flow.yaml").code == 0
    first = project.log()
    assert run_again(first) == EACH
    found = {what: _steps_after(project, str(first[0]["run_id"]), *EDITS[what][:2]) for what in EDITS}
    assert found == {what: again for what, (_, _, again) in EDITS.items()}


def _steps_after(project: CommandLine, run_id: str, change: Callable[[Path], None], options: list[str]) -> set[str]:
    (project.folder / "stages/moved.py").unlink(missing_ok=True)
    for name, text in PROJECT.items():
        project.write(name, text)
    change(project.folder)
    ran = project("run", "-q", "flow.yaml", "--reuse", run_id, *options)
    assert (ran.code, ran.stderr) == (0, "")
    return run_again(project.log())


# -- the module is named

NAMED = {
    "a helper": "numbers: run, as it has changed: the module `stages.helper`\n",
    "a package's __init__": "begun: run, as it has changed: the module `stages`\n",
    "a file moved": "numbers: run, as it has changed: the modules `stages.helper`, `stages.moved`, `stages.numbers`\n",
    "a target's own file": "lonely: run, as it has changed: the module `alone.py`\n",
}


@pytest.mark.parametrize("what", NAMED)
def test_the_module_that_changed_is_named(project: CommandLine, what: str) -> None:
    assert project("-q", "flow.yaml").code == 0
    EDITS[what][0](project.folder)
    assert NAMED[what] in project("resume", "latest", "--explain").stdout


# -- nothing stale becomes something new


def notes_of(run: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (run / "digests/steps.jsonl").read_text().splitlines()]


def as_version_1(run: Path) -> None:
    """Make the notes of `run` what version 1 of the digests has: the file of each target, not what it imports."""
    from mprun.plan.digests import code_parts, step_digest

    code = json.loads((run / "plan.json").read_text())["code"]
    notes = {str(note["step"]): note for note in notes_of(run) if "digest" in note}
    lines = []
    for step, note in notes.items():
        parts = {part: digest for part, digest in note["parts"].items() if "module" not in part}  # type: ignore[attr-defined]
        parts |= code_parts(code.get(step, {}))
        lines.append(json.dumps({"step": step, "digest": step_digest(parts), "parts": parts}))
    (run / "digests/steps.jsonl").write_text("\n".join(lines) + "\n")
    (run / "digests/code.jsonl").unlink(missing_ok=True)


def latest(project: CommandLine) -> Path:
    return sorted(project.folder.glob(".mprun/runs/*/"))[-1]


def small(project: CommandLine, items: str) -> None:
    project.write(
        "flow.yaml",
        f"pools: {{numbers: {{processes: 1, target: stages.numbers:number, map: {items}, save: o.json}}}}\n",
    )
    project.write("stages/numbers.py", PROJECT["stages/numbers.py"])


def saved(project: CommandLine) -> object:
    return json.loads((project.folder / "o.json").read_text())


def test_a_run_with_older_digests_is_compared_as_they_were(project: CommandLine) -> None:
    """A task that is reused so keeps its old digest: later runs still know that nobody has looked at its helpers."""
    (project.folder / "stages/helper.py").write_text("def norm(n):\n    return n\n")
    small(project, "[1, 2]")
    assert project("-q", "flow.yaml").code == 0
    as_version_1(latest(project))
    by_files = "all 2 tasks reused, compared by the file of its target alone, as that run's version of mprun did\n"
    assert project("resume", "latest", "--explain").stdout == f"numbers: {by_files}"

    small(project, "[1, 2, 3]")
    assert project("run", "-q", "flow.yaml", "--reuse", "latest").code == 0
    assert [event.get("reused") is not None for event in results(project.log(), "numbers")] == [True, True, False]
    assert saved(project) == [1, 2, 3]

    # The third task is known better than the other two, in this run and in the next one.
    for _ in range(2):
        explained = project("resume", "latest", "--explain").stdout
        assert explained == f"numbers: {by_files.replace('2', '3', 1)}"
        assert project("run", "-q", "flow.yaml", "--reuse", "latest").code == 0
    (project.folder / "stages/helper.py").write_text("def norm(n):\n    return -n\n")
    assert project("run", "-q", "flow.yaml", "--reuse", "latest").code == 0
    assert saved(project) == [1, 2, -3]

    # And what compares the file finds that it has changed.
    (project.folder / "stages/numbers.py").write_text(
        "from . import helper\n\n\ndef number(n):\n    return helper.norm(n)\n#\n"
    )
    assert project("run", "-q", "flow.yaml", "--reuse", "latest").code == 0
    assert saved(project) == [-1, -2, -3]
    assert project("resume", "latest", "--explain").stdout == "numbers: all 3 tasks reused\n"


def test_code_that_changes_while_it_is_at_work_is_not_reused(project: CommandLine) -> None:
    small(project, "[1]")
    (project.folder / "stages/numbers.py").write_text(
        "from pathlib import Path\n\n\ndef number(n):\n    Path('stages/extra.py').write_text('x = 1')\n    return n\n"
        "    from . import extra\n"
    )
    (project.folder / "stages/extra.py").write_text("x = 0")
    assert project("-q", "flow.yaml").code == 0
    told = "numbers: run, as `stages/extra.py` was changed while that run was at work\n"
    assert project("resume", "latest", "--explain").stdout == told


@pytest.mark.parametrize("edited", [False, True])
def test_a_run_that_was_killed_before_it_had_read_its_code(project: CommandLine, edited: bool) -> None:
    """What is older than that run is what it had."""
    small(project, "[1]")
    (project.folder / "stages/helper.py").write_text("def norm(n):\n    return n\n")
    assert project("-q", "flow.yaml").code == 0
    notes = latest(project) / "digests/steps.jsonl"
    first, *_ = notes.read_text().splitlines()
    assert "digest" not in json.loads(first)
    notes.write_text(f"{first}\n")
    if edited:
        (project.folder / "stages/helper.py").write_text(
            "# a comment\n" + (project.folder / "stages/helper.py").read_text()
        )
    told = "run, as that run was killed before it had read its code, and `stages/helper.py` was changed since"
    assert project("resume", "latest", "--explain").stdout == f"numbers: {told if edited else 'reused'}\n"
