"""A worker loads what its annotations need, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

LOADED = """
import sys
from mprun.language.targets import parse_target
from mprun.worker.calls import pool_task
from mprun.worker.calls import serve
from mprun.worker.calls import step
from mprun.worker.calls.calls import resolve_converting
resolve_converting(parse_target(sys.argv[1], ""), sys.argv[2])
print(*(name for name in ("pydantic", "mprun.worker.conversion.calls") if name in sys.modules))
"""


@pytest.mark.parametrize(
    ("target", "mode", "loaded"),
    [
        ("os.path:join", "", ""),
        ("test_conversion_targets:of_path", "", ""),
        ("test_conversion_targets:of_path", "strict", "mprun.worker.conversion.calls"),
        ("test_conversion_targets:of_path", "text", "mprun.worker.conversion.calls"),
        ("test_conversion_targets:of_constrained", "strict", "pydantic mprun.worker.conversion.calls"),
    ],
)
def test_a_worker_loads_only_what_it_needs(target: str, mode: str, loaded: str, tmp_path: Path) -> None:
    """In a fresh interpreter: nothing where nothing is converted, Pydantic only for what is Pydantic's."""
    (tmp_path / "test_conversion_targets.py").write_text(
        "import typing, pathlib, annotated_types\n"
        "def of_path(path: pathlib.Path): ...\n"
        "def of_constrained(number: typing.Annotated[int, annotated_types.Gt(0)]): ...\n"
    )
    command = [sys.executable, "-c", LOADED, target, mode]
    told = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert (told.stderr, told.stdout.strip()) == ("", loaded)
