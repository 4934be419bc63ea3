"""What is checked in a child before a run starts: the targets and classes that a plan names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from unit.test_build import folder, plan_from  # noqa: F401 -- a fixture

from mprun.errors.exceptions import WorkflowError


def mistakes(text: str, folder: Path) -> list[tuple[str, str, str]]:  # noqa: F811
    """(code, the text under the caret, advice) of each mistake."""
    with pytest.raises(WorkflowError) as raised:
        plan_from(text, folder, check_targets=True)
    return [(d.code, _marked(d.place), d.advice) for d in raised.value.diagnostics]


def _marked(place: Any) -> str:
    return str(place.text[place.column - 1 : place.column - 1 + place.length])


CLASSES = """\
processes:
  a:
    target: jobs:a
    retries:
      count: 1
      on:
        - lost
        - {name}
        - OSError
"""


@pytest.mark.parametrize(
    ("name", "code", "near", "advice"),
    [
        ("jobs:Bus", "not-an-exception", "Bus", "did you mean `Busy`?"),
        ("jobs:a", "not-an-exception", "a", ""),
        ("jobs:Bsuy", "no-attribute", "Bsuy", "did you mean `Busy`?"),
        ("jbos:Busy", "no-module", "jbos", "did you mean `jobs`?"),
        ("errors.py:Bus", "not-an-exception", "Bus", "did you mean `Busy`?"),
        ("builtins:print", "not-an-exception", "print", ""),
    ],
)
def test_exception_classes_are_imported_before_the_start(
    name: str,
    code: str,
    near: str,
    advice: str,
    folder: Path,  # noqa: F811
) -> None:
    assert mistakes(CLASSES.replace("{name}", name), folder) == [(code, near, advice)]


def test_right_classes_pass_the_check(folder: Path) -> None:  # noqa: F811
    for name in ("jobs:Busy", "jobs:Outer.Late", "concurrent.futures:TimeoutError"):
        plan_from(CLASSES.replace("{name}", name), folder, check_targets=True)
    text = "pools: {p: {target: 'jobs:a', map: [1], retries: {count: 1, not_on: 'jobs:Bus'}}}"
    assert mistakes(text, folder) == [("not-an-exception", "Bus", "did you mean `Busy`?")]


def test_targets_are_checked_in_the_surroundings_of_their_steps(folder: Path) -> None:  # noqa: F811
    (folder / "sub").mkdir()
    (folder / "where.py").write_text(
        "import os\nassert os.environ['A'] == os.path.basename(os.getcwd())\ndef f(): pass"
    )
    good = "b: {target: 'where:f', env: {A: sub}, working_dir: sub}, c: {target: 'where:f', env: {A: sub}}"
    with pytest.raises(WorkflowError) as refused:
        plan_from(
            f"processes: {{{good}, d: {{target: 'where:g', env: {{A: sub}}, working_dir: sub}}}}",
            folder,
            check_targets=True,
        )
    assert [told.message for told in refused.value.diagnostics] == [
        "importing `where` raises AssertionError",
        "`where` has no `g`",
    ]


def test_steps_are_checked_in_the_surroundings_of_their_own_file(folder: Path) -> None:  # noqa: F811
    """Each file may have a search path that the others don't have."""
    (folder / "sub/lib").mkdir(parents=True)
    (folder / "sub/lib/counting.py").write_text("def count(): pass\n")
    part = folder / "sub/part.yaml"
    part.write_text("pythonpath: lib\nprocesses: {b: {target: 'counting:count'}}\n")
    text = "include: sub/part.yaml\nprocesses: {a: {target: 'jobs:a'}}"
    assert len(plan_from(text, folder, check_targets=True).steps) == 2
    part.write_text("processes: {b: {target: 'counting:count'}}\n")
    with pytest.raises(WorkflowError, match="1 mistake"):
        plan_from(text, folder, check_targets=True)


def test_an_allowlist_holds_for_included_files(folder: Path) -> None:  # noqa: F811
    (folder / "a.yaml").write_text("targets: {x: 'os:getcwd'}\nonly_targets: true\nprocesses: {a: {target: x}}")
    text = "only_targets: true\ntargets: {first: 'jobs:a'}\ninclude: a.yaml\nprocesses: {b: {target: first}}"
    with pytest.raises(WorkflowError) as refused:
        plan_from(text, folder, check_targets=True)
    assert [found.message for found in refused.value.diagnostics] == [
        "`os:getcwd` is not one of the workflow's `targets`, and `only_targets` allows no other"
    ]
    assert len(plan_from(text.replace("only_targets: true\n", ""), folder, check_targets=True).steps) == 2
