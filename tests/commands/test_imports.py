"""What a process has imported: a child must be light, and a run has only what it uses."""

from __future__ import annotations

import subprocess
import sys

import pytest
from unit.test_layers import PACKAGE, WITH_PYDANTIC_TYPES

HEAVY = {"pydantic", "typer", "yaml", "structlog", "rich"}


WORKER = [
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    for path in sorted(PACKAGE.glob("worker/**/[a-z]*.py"))
    if path != WITH_PYDANTIC_TYPES
]


def test_what_a_child_loads_is_light() -> None:
    """In a fresh interpreter: none of the packages that the command itself is made of, whichever module it begins with.

    All are imported into one: what each of them loads is part of that.
    """
    script = f"""
import importlib, sys
for module in {["mprun.__main__", "mprun.worker.checks.check", *WORKER]}:
    importlib.import_module(module)
    if heavy := {HEAVY!r} & set(sys.modules):
        sys.exit(f"{{module}} loads {{heavy}}")
"""
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (told.returncode, told.stderr, told.stdout) == (0, "", "")
    assert len(WORKER) > 30


@pytest.mark.parametrize(
    ("module", "never"),
    [
        ("mprun.cli.run_file", {"pydantic", "typer", "structlog", "rich"}),  # what is imported before any process boots
        ("mprun.running.record", {"pydantic", "typer", "yaml", "rich"}),
        (
            "mprun.worker.calls.serve",
            {"mprun.sources.decoding", "mprun.language.references", "mprun.results.files", "mprun.worker.calls.scope"},
        ),
    ],
)
def test_a_run_imports_only_what_it_uses(module: str, never: set[str]) -> None:
    script = f"import sys, {module}; print(*sorted({never!r} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (told.stderr, told.stdout) == ("", "\n")


def test_structlog_alone_is_imported_as_if_rich_were_not_installed() -> None:
    script = "import mprun.running.stream, rich, structlog; print(structlog.dev.rich is None, bool(rich.__file__))"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (told.stderr, told.stdout) == ("", "True True\n")


def test_reading_the_table_imports_no_engine() -> None:
    script = "import sys, mprun.engines.table; print(*sorted(each for each in sys.modules if 'mprun.' in each))"
    read = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert read.stdout.split() == ["mprun.engines", "mprun.engines.table"], read.stderr
