"""The page on the format holds what it says: its files are checked whole, its commands print what it shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from conftest import COMMAND, CommandLine

from commands.test_readme import steady

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/format.md").read_text(encoding="utf-8")

# Shown for the answer that it gets.
WRONG = {"params.yaml"}


def files() -> dict[str, str]:
    """The text of each block that begins with the name of a file, by that name."""
    blocks = re.findall(r"^```(?:yaml|python|text)\n# (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return {name: f"# {name}\n{text}" if name.endswith((".py", ".yaml")) else text for name, text in blocks}


def examples() -> list[tuple[str, str]]:
    """(command, what it prints) of each `$ ` line."""
    blocks = re.findall(r"^```console\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    parts = [part.partition("\n") for block in blocks for part in re.split(r"^\$ ", block, flags=re.M)[1:]]
    return [(command, printed) for command, _, printed in parts]


@pytest.fixture
def folder(mprun: CommandLine) -> CommandLine:
    for name, text in files().items():
        (mprun.folder / name).write_text(text, encoding="utf-8")
    return mprun


@pytest.mark.parametrize("name", [name for name in files() if name.endswith(".yaml") and name not in WRONG])
def test_a_file_is_right(folder: CommandLine, name: str) -> None:
    ran = folder("validate", name)
    assert (ran.code, ran.stderr) == (0, "")


@pytest.mark.parametrize(("command", "printed"), examples(), ids=[command for command, _ in examples()])
def test_an_example(folder: CommandLine, command: str, printed: str) -> None:
    ran = folder.shell(f'mprun() {{ {shlex.join(COMMAND)} "$@"; }}; ({command}) 2>&1')
    assert shown(ran.stdout, folder) == printed


def shown(text: str, folder: CommandLine) -> str:
    return steady(text).replace(f"{folder.folder}/", "").replace(f"{folder.folder}", ".")


def test_what_it_links_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", PAGE)
    assert links
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []
