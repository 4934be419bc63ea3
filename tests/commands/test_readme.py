"""The README's examples are real: each `console` block is run, and each file it shows is the shipped one."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
from conftest import COMMAND, CommandLine

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def examples() -> list[tuple[str, str]]:
    """(command, what it prints) of each `$ ` line of a console block."""
    parts = [part.partition("\n") for block in blocks("console") for part in re.split(r"^\$ ", block, flags=re.M)[1:]]
    return [(command, printed) for command, _, printed in parts]


# What differs from run to run.
VARYING = (
    (r"\d+\.\d{3} s", "T s"),
    (r"\d{8}-\d{6}-\d{3}-[0-9a-f]{8}", "RUN"),
    (r'"(seq|worker)":\d+', r'"\1":N'),
    (r'"(duration|waited)":\d+\.\d+', r'"\1":T'),
    (r'"ts":"[^"]+"', '"ts":T'),
)


def steady(text: str) -> str:
    for pattern, word in VARYING:
        text = re.sub(pattern, word, text)
    return text


@pytest.mark.parametrize(("command", "printed"), examples(), ids=[command for command, _ in examples()])
def test_an_example(command: str, printed: str, mprun: CommandLine) -> None:
    for folder in ("workflows", "tests/mistakes_targets"):
        shutil.copytree(ROOT / folder, mprun.folder / folder)
    if "latest" in command:
        mprun("-q", "workflows/pool_map.yaml")
    ran = mprun.shell(f'mprun() {{ {shlex.join(COMMAND)} "$@"; }}; ({command}) 2>&1')
    assert steady(ran.stdout).replace(f"{mprun.folder}/", "") == steady(printed)


def test_the_shown_workflow_is_the_shipped_one() -> None:
    (shown,) = blocks("yaml")
    assert shown == (ROOT / "workflows/pool_map.yaml").read_text(encoding="utf-8")
    function, _ = blocks("python")
    assert function in (ROOT / "workflows/squares.py").read_text(encoding="utf-8")


def test_the_program_runs(mprun: CommandLine) -> None:
    shutil.copytree(ROOT / "workflows", mprun.folder / "workflows")
    _, program = blocks("python")
    mprun.write("program.py", program)
    assert mprun.shell(f"{COMMAND[0]} program.py").stdout == "succeeded 5\n"


def test_what_it_links_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []
