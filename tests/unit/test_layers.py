"""Who may import whom, who may print and exit, and what a child must never load."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

import mprun

PACKAGE = Path(mprun.__file__).parent

# Each room may import those in the rows above it, and its own row.
# A room is a module or a folder; what is below a folder belongs to it, unless it has a row of its own.
LAYERS = (
    "errors __init__",
    "system language log",
    "results sources engines.table code",
    "plan",
    "sharing",
    "worker",
    "format log.reading",
    "log.schema runs",
    "planning engines log.verifying",
    "loading sinks",
    "log.export running",
    "resuming",
    "api",
    "cli",
    "__main__",
)
RANK = {room: rank for rank, rooms in enumerate(LAYERS) for room in rooms.split()}

WITH_PYDANTIC = {"format", "loading", "log.schema", "planning"}
# Imported by a child that has an annotation of Pydantic's to convert to, and only then.
WITH_PYDANTIC_TYPES = PACKAGE / "worker" / "conversion" / "pydantic_types.py"

SOURCES = sorted(PACKAGE.rglob("*.py"))


def room_of(name: str) -> str:
    """The room of a module, by its dotted name below `mprun`: the nearest one that has a row."""
    while name not in RANK and "." in name:
        name = name.rpartition(".")[0]
    return name


def part_of(path: Path) -> str:
    return room_of(".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"))


@functools.cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[str]:
    """The dotted names that a module imports, wherever in it."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports name the whole path"
            yield node.module or ""


def test_each_room_has_its_layer() -> None:
    assert {part_of(path) for path in SOURCES} - set(RANK) == set()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_one_way(path: Path) -> None:
    if path == PACKAGE / "__init__.py":
        return  # what the package offers is imported when it is asked for, which tests/commands/test_api.py holds
    own = [room_of(name.removeprefix("mprun.")) for name in imports(path) if name.startswith("mprun.")]
    assert {room for room in own if RANK[room] > RANK[part_of(path)]} == set()


def test_only_some_parts_know_pydantic() -> None:
    knowing = [path for path in SOURCES if any(name.split(".")[0] == "pydantic" for name in imports(path))]
    assert {part_of(path) for path in knowing if path != WITH_PYDANTIC_TYPES} <= WITH_PYDANTIC


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_command_line_prints_and_exits(path: Path) -> None:
    if part_of(path) in ("cli", "__main__"):
        return
    calls = {ast.unparse(node.func) for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call)}
    assert calls & {"sys.exit", "exit", "quit"} == set()
    # A display prints to the stream that it was given.
    assert part_of(path) == "sinks" or "print" not in calls
