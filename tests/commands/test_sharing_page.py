"""The page on sharing holds what it says: its workflows are right, its commands print what it shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conftest import CommandLine

PAGE = (Path(__file__).parents[2] / "docs/sharing.md").read_text(encoding="utf-8")
FILES = {
    name: f"# {name}\n{text}"
    for name, text in re.findall(r"^```(?:yaml|python)\n# (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
}
EXAMPLES = re.findall(r"^\$ (.*)\n((?:(?!\$ |```).*\n)*)", PAGE, re.MULTILINE)


@pytest.fixture
def folder(mprun: CommandLine) -> CommandLine:
    for name, text in FILES.items():
        (mprun.folder / name).write_text(text, encoding="utf-8")
    return mprun


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".yaml")])
def test_each_workflow_is_right(name: str, folder: CommandLine) -> None:
    assert folder("validate", name).code == 0


@pytest.mark.parametrize(("command", "printed"), EXAMPLES, ids=[command for command, _ in EXAMPLES])
def test_each_command_prints_what_is_shown(command: str, printed: str, folder: CommandLine) -> None:
    assert set(folder.shell(command.replace("mprun ", "$MPRUN ", 1)).stdout.splitlines()) == set(printed.splitlines())


def test_each_kind_is_in_the_table() -> None:
    from mprun.sharing.kinds import KINDS

    table = PAGE.partition("## What can be shared")[2].partition("They have the methods")[0]
    assert [kind for kind in KINDS if not re.search(rf"\b{kind}\b", table)] == []
