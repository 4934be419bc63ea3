"""Who may import whom, who may print and exit, and what a child must never load."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import mprun

PACKAGE = Path(mprun.__file__).parent

# Each part may import those in the rows above it, and its own row; a part is a folder or a module of the package.
LAYERS = (
    "errors __init__",
    "decoding durations events labels masking memory places references seals system targets values writing",
    "cells handed results sources",
    "diagnostics expressions plain plan",
    "sharing",
    "digests retrying scope",
    "worker",
    "models",
    "planning engines",
    "exporting loading records running sinks",
    "resuming",
    "api",
    "cli",
    "__main__",
)
RANK = {part: rank for rank, parts in enumerate(LAYERS) for part in parts.split()}

WITH_PYDANTIC = {"loading", "planning", "models"}
# Imported by a child that has an annotation of Pydantic's to convert to, and only then.
WITH_PYDANTIC_TYPES = PACKAGE / "worker" / "conversion" / "pydantic_types.py"
HEAVY = {"pydantic", "typer", "yaml", "structlog", "rich"}

SOURCES = sorted(PACKAGE.rglob("*.py"))


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """The dotted names that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports name the whole path"
            yield node.module or ""


def test_each_part_has_its_layer() -> None:
    assert {part_of(path) for path in SOURCES} - set(RANK) == set()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_one_way(path: Path) -> None:
    if path == PACKAGE / "__init__.py":
        return  # what the package offers is imported when it is asked for, which tests/test_api.py holds
    own = [name.split(".")[1] for name in imports(path) if name.startswith("mprun.")]
    assert {part for part in own if RANK[part] > RANK[part_of(path)]} == set()


def test_only_some_parts_know_pydantic() -> None:
    knowing = [path for path in SOURCES if any(name.split(".")[0] == "pydantic" for name in imports(path))]
    assert {part_of(path) for path in knowing if path != WITH_PYDANTIC_TYPES} <= WITH_PYDANTIC


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_command_line_prints_and_exits(path: Path) -> None:
    if part_of(path) in ("cli", "__main__"):
        return
    calls = {ast.unparse(node.func) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)}
    assert calls & {"sys.exit", "exit", "quit"} == set()
    # A display prints to the stream that it was given.
    assert part_of(path) == "sinks" or "print" not in calls


@pytest.mark.parametrize(
    "module",
    [
        "mprun.__main__",
        "mprun.worker.check",
        *(
            ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
            for path in sorted(PACKAGE.glob("worker/**/[a-z]*.py"))
            if path != WITH_PYDANTIC_TYPES
        ),
    ],
)
def test_what_a_child_loads_is_light(module: str) -> None:
    """In a fresh interpreter: none of the packages that the command itself is made of."""
    script = f"import sys, {module}; print(*sorted({HEAVY!r} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (told.stderr, told.stdout) == ("", "\n")


@pytest.mark.parametrize(
    ("module", "never"),
    [
        ("mprun.cli.run", {"pydantic", "typer", "structlog", "rich"}),  # what is imported before any process boots
        ("mprun.running.record", {"pydantic", "typer", "yaml", "rich"}),
        ("mprun.worker.serve", {"mprun.decoding", "mprun.references", "mprun.results", "mprun.scope"}),
    ],
)
def test_a_run_imports_only_what_it_uses(module: str, never: set[str]) -> None:
    script = f"import sys, {module}; print(*sorted({never!r} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (told.stderr, told.stdout) == ("", "\n")


def test_structlog_alone_is_imported_as_if_rich_were_not_installed() -> None:
    script = "import mprun.running.logger, rich, structlog; print(structlog.dev.rich is None, bool(rich.__file__))"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (told.stderr, told.stdout) == ("", "True True\n")
